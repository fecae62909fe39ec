import type { Caller } from '../accounts/caller.js';
import { hasEnded, type JobEvent } from '../contract/jobs.js';
import { readOnChange } from '../database/subscription.js';
import type { JobDependencies } from './dependencies.js';
import { readJobEvent } from './sql/detail.js';
import { requireVisibleJob } from './visible-jobs.js';

/** Milliseconds between reads of a waiting job, because the queue position changes without a notification. */
const queuePositionIntervalMs = 2_000;

/** Yields the job's present state, then each change, until the job ends or `signal` aborts. */
export async function* followJob(
  { database, notifications, now }: JobDependencies,
  jobId: number,
  caller: Caller,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  await requireVisibleJob(database, jobId, caller);
  const events = readOnChange(
    notifications,
    { topics: [`job:${jobId}`], waitMs: Number.POSITIVE_INFINITY, maxIntervalMs: queuePositionIntervalMs, signal, now },
    () => readJobEvent(database, jobId),
  );
  let previous = '';
  for await (const event of events) {
    if (!event || signal.aborted) return;
    const current = JSON.stringify(event);
    if (current !== previous) yield event;
    if (hasEnded(event.status)) return;
    previous = current;
  }
}
