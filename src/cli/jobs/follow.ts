import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../client/api.js';
import { ApiError } from '../../client/api-error.js';
import { hasEnded, type JobEvent } from '../../contract/jobs.js';
import { backoffMs } from '../../platform/backoff.js';

const outcomes = { SUCCEEDED: 'succeeded', FAILED: 'failed', CANCELLED: 'was cancelled', TIMED_OUT: 'timed out' };

/** Describes the state of a job: `Job 17 (TEST) waits, 3 jobs ahead`, `Job 17 (TEST) runs 40 %, reading`. */
export function describeEvent({ type, id, status, progress, queuePosition, attempts }: JobEvent): string {
  const name = `Job ${id} (${type})`;
  if (status === 'PENDING') {
    const position = queuePosition ? describeQueuePosition(queuePosition) : 'next in the queue';
    return `${name} waits, ${position}${attempts > 0 ? ` (the worker of attempt ${attempts} was lost)` : ''}`;
  }
  if (status === 'IN_PROGRESS') {
    const percent = progress ? ` ${Math.round(progress.fraction * 100)} %` : '';
    const message = progress?.message ? `, ${progress.message}` : '';
    return `${name} runs${percent}${message}${attempts > 1 ? ` (attempt ${attempts})` : ''}`;
  }
  return `${name} ${outcomes[status]}`;
}

/** Describes the jobs ahead. The API counts up to 1,000. */
const describeQueuePosition = (position: number) =>
  position === 1 ? '1 job ahead' : `${position >= 1000 ? '1,000 or more' : position} jobs ahead`;

const maxFailures = 40;
const backoff = { minMs: 400, maxMs: 2_000 };

/** Follows a job to its last event. Reconnects while the API restarts; throws after about a minute without the API. */
export async function followJob(
  api: Pick<Api, 'events'>,
  jobId: number,
  onEvent: (event: JobEvent) => void,
  signal?: AbortSignal,
): Promise<JobEvent> {
  let last: JobEvent | undefined;
  for (let failures = 0; ; ) {
    try {
      for await (const event of api.events(jobId, signal)) {
        failures = 0;
        last = event;
        onEvent(event);
      }
      if (last && hasEnded(last.status)) return last;
    } catch (error) {
      if (signal?.aborted || (error instanceof ApiError && !error.isTransient) || failures >= maxFailures) throw error;
      failures += 1;
    }
    await sleep(backoffMs(failures + 1, backoff), undefined, { signal });
  }
}
