import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Api } from '../client/api.js';
import { toMessage } from '../contract/errors.js';
import type { Claim } from '../contract/jobs.js';
import { listFiles } from '../platform/files.js';
import type { HandlerResult } from './handler.js';
import { Heartbeat } from './heartbeat.js';
import { reportUntilRecorded } from './report.js';
import { uploadOutput } from './upload.js';
import type { WorkerOptions } from './worker.js';

/** Reasons to stop a job before its end: a user cancelled it, another worker has it, or this worker is stopped. */
export type StopReason = 'cancelled' | 'requeued' | 'released';

/** Runs one job from claim to report. Never throws: a failure is reported, or left to the sweeper. */
export async function runJob(options: WorkerOptions, claim: Claim, releasing: AbortSignal): Promise<void> {
  const { api } = options;
  const { job, assignment } = claim;
  const log = options.log.child({ jobId: job.id, assignmentId: assignment.id, type: job.type });
  const stop = new AbortController();
  const release = () => stop.abort('released' satisfies StopReason);
  releasing.addEventListener('abort', release);
  if (releasing.aborted) release();
  const heartbeat = new Heartbeat(options, assignment.id, (reason) => stop.abort(reason));
  try {
    log.info('job claimed');
    const result = await handle(options, claim, heartbeat, stop.signal).catch(toFailure);
    if (stop.signal.aborted) await endStopped(api, log, assignment.id, stop.signal.reason);
    else await reportUntilRecorded(api, log, assignment.id, result);
  } finally {
    heartbeat.stop();
    releasing.removeEventListener('abort', release);
  }
}

const toFailure = (error: unknown): HandlerResult => ({
  status: 'FAILED',
  payload: { error: toMessage(error).slice(0, 2000) },
});

/** Runs the handler of the job's type in a temporary directory and uploads the files of a success. */
async function handle(
  options: WorkerOptions,
  { job, assignment }: Claim,
  heartbeat: Heartbeat,
  signal: AbortSignal,
): Promise<HandlerResult> {
  await mkdir(options.scratchDirectory, { recursive: true });
  const directory = await mkdtemp(path.join(options.scratchDirectory, `job-${job.id}-`));
  try {
    const outputDirectory = path.join(directory, 'output');
    const jobFile = path.join(directory, 'job.json');
    await mkdir(outputDirectory);
    await writeFile(jobFile, `${JSON.stringify({ ...job, assignment })}\n`);
    const handler = options.handlers[job.type];
    if (!handler) throw new Error(`this worker has no handler for ${job.type}`);
    const progress = heartbeat.setProgress.bind(heartbeat);
    const result = await handler(job, { outputDirectory, jobFile, progress, signal });
    if (!signal.aborted && result.status === 'SUCCEEDED')
      await uploadOutput(options.api, assignment, await listFiles(outputDirectory), signal);
    return result;
  } finally {
    await rm(directory, { recursive: true, force: true }).catch(() => {});
  }
}

/** Logs a stopped job, and returns it to the queue when this worker is stopped. */
async function endStopped(api: Api, log: Logger, assignmentId: number, reason: StopReason): Promise<void> {
  log.info({ reason }, 'job stopped');
  if (reason !== 'released') return;
  const warn = (error: unknown) => log.warn({ err: error }, 'could not release the job');
  await api.release(assignmentId, 'the worker was stopped').catch(warn);
}
