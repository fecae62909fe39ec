import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Api } from '../client/api.js';
import { ApiError } from '../client/api-error.js';
import { toMessage } from '../contract/errors.js';
import type { Claim, Progress } from '../contract/jobs.js';
import type { HandlerResult, JobHandler } from './handler.js';
import type { TaskIdentity } from './task.js';
import { listOutput, uploadOutput } from './upload.js';

export interface WorkerOptions {
  api: Api;
  log: Logger;
  task: TaskIdentity;
  handlers: Readonly<Record<string, JobHandler>>;
  concurrency: number;
  /** Leaves when it had nothing to do for so long; undefined: stays. */
  idleTimeoutMs: number | undefined;
  /** Where jobs get their folders. */
  scratchFolder: string;
  heartbeatMs?: number;
  /** How long a job in hand may go on after a stop before it is handed back. */
  graceMs?: number;
  now(): number;
}

export interface Worker {
  /** Runs until idle for too long or stopped; resolves when nothing is in hand. */
  run(): Promise<void>;
  /** Takes no more jobs; finishes those in hand within the grace time, or hands them back. */
  stop(): void;
}

const claimWaitSeconds = 20;
const defaultHeartbeatMs = 5_000;
const defaultGraceMs = 20_000;
/** Progress is passed on at most this often. */
const progressEveryMs = 500;

/** Claims jobs and does them, `concurrency` at a time. */
export function createWorker(options: WorkerOptions): Worker {
  const { api, log, now } = options;
  const stopping = new AbortController();
  const handBack = new AbortController();
  const inHand = new Set<Promise<void>>();
  let lastBusy = now();

  const claim = async (count: number): Promise<Claim[]> => {
    const idleLeftMs =
      options.idleTimeoutMs === undefined ? Number.POSITIVE_INFINITY : lastBusy + options.idleTimeoutMs - now();
    const wait = inHand.size > 0 ? claimWaitSeconds : Math.max(0, Math.min(claimWaitSeconds, idleLeftMs / 1000));
    const { claims } = await api.claim(
      {
        jobTypes: Object.keys(options.handlers),
        ecsTaskArn: options.task.taskArn,
        ecsClusterArn: options.task.clusterArn,
        count,
        wait,
      },
      stopping.signal,
    );
    return claims;
  };

  /** Waits before the next try after an error, twice as long each time, up to 30 s. */
  const pause = (failures: number) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        stopping.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(30_000, 250 * 2 ** Math.min(failures, 7)) * (0.5 + Math.random() / 2));
      stopping.signal.addEventListener('abort', done);
    });

  const isIdle = () =>
    options.idleTimeoutMs !== undefined && inHand.size === 0 && now() - lastBusy >= options.idleTimeoutMs;

  const run = async () => {
    let failures = 0;
    while (!stopping.signal.aborted && !isIdle()) {
      const free = options.concurrency - inHand.size;
      if (free === 0) {
        await Promise.race(inHand);
        continue;
      }
      try {
        const claims = await claim(free);
        failures = 0;
        for (const one of claims) {
          const work = doJob(options, one, handBack.signal).finally(() => {
            inHand.delete(work);
            lastBusy = now();
          });
          inHand.add(work);
        }
      } catch (error) {
        if (stopping.signal.aborted) break;
        if (error instanceof ApiError && !error.isTransient) {
          await Promise.all(inHand);
          throw error;
        }
        failures += 1;
        log.warn({ err: error }, 'could not claim a job; trying again');
        await pause(failures);
      }
    }
    await Promise.all(inHand);
  };

  return {
    run,
    stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      const timer = setTimeout(() => handBack.abort(), options.graceMs ?? defaultGraceMs);
      timer.unref();
      void Promise.all(inHand).then(() => clearTimeout(timer));
    },
  };
}

/** Why a job is stopped before its end. */
type StopReason = 'cancelled' | 'lost' | 'leaving';

/** Does one job from claim to report. Never throws: what went wrong is reported, or left to the sweeper. */
async function doJob(options: WorkerOptions, { job, assignment }: Claim, leaving: AbortSignal): Promise<void> {
  const { api } = options;
  const log = options.log.child({ jobId: job.id, assignmentId: assignment.id, type: job.type });
  const stop = new AbortController();
  const leave = () => stop.abort('leaving' satisfies StopReason);
  leaving.addEventListener('abort', leave);
  if (leaving.aborted) leave();
  const heart = startHeart(options, assignment.id, (reason) => stop.abort(reason));
  let folder: string | undefined;
  try {
    log.info('job claimed');
    await mkdir(options.scratchFolder, { recursive: true });
    folder = await mkdtemp(path.join(options.scratchFolder, `job-${job.id}-`));
    const outputFolder = path.join(folder, 'output');
    const jobFile = path.join(folder, 'job.json');
    await mkdir(outputFolder);
    await writeFile(jobFile, `${JSON.stringify({ ...job, assignment })}\n`);
    const handler = options.handlers[job.type];
    if (!handler) throw new Error(`this worker has no handler for ${job.type}`);
    const result = await handler(job, { outputFolder, jobFile, progress: heart.tell, signal: stop.signal });
    if (!stop.signal.aborted && result.status === 'SUCCEEDED') {
      await uploadOutput(api, assignment, await listOutput(outputFolder), stop.signal);
    }
    if (stop.signal.aborted) await endStopped(api, log, assignment.id, stop.signal.reason);
    else await report(api, log, assignment.id, result);
  } catch (error) {
    if (stop.signal.aborted) await endStopped(api, log, assignment.id, stop.signal.reason);
    else {
      const message = toMessage(error);
      await report(api, log, assignment.id, { status: 'FAILED', payload: { error: message.slice(0, 2000) } });
    }
  } finally {
    heart.stop();
    leaving.removeEventListener('abort', leave);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

async function endStopped(api: Api, log: Logger, assignmentId: number, reason: StopReason): Promise<void> {
  log.info({ reason }, 'job stopped');
  if (reason !== 'leaving') return;
  await api
    .release(assignmentId, 'the worker leaves')
    .catch((error: unknown) => log.warn({ err: error }, 'could not hand the job back'));
}

/** Reports, again and again while the API is away: a result is not lost because a server restarts. */
async function report(api: Api, log: Logger, assignmentId: number, { status, payload }: HandlerResult): Promise<void> {
  for (let attempt = 0; attempt < 12; attempt += 1) {
    try {
      await api.report(assignmentId, status, payload);
      log.info({ status }, 'job reported');
      return;
    } catch (error) {
      if (error instanceof ApiError && error.status === 400 && status === 'SUCCEEDED') {
        const problem = error.issues.map((issue) => `${issue.path} ${issue.message}`).join('; ') || error.message;
        log.error({ problem }, 'the result does not fit its type');
        await report(api, log, assignmentId, {
          status: 'FAILED',
          payload: { error: `the result does not fit its type: ${problem}` },
        });
        return;
      }
      if (!(error instanceof ApiError) || !error.isTransient) {
        log.warn({ err: error }, 'the result was refused');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 200 * 2 ** attempt)));
    }
  }
  log.error('the result could not be reported');
}

/** Tells the API that the job is worked on, at once and then every few seconds, with its progress. */
function startHeart(options: WorkerOptions, assignmentId: number, onStop: (reason: StopReason) => void) {
  const everyMs = options.heartbeatMs ?? defaultHeartbeatMs;
  let untold: Progress | undefined;
  let last: Progress | undefined;
  let timer: NodeJS.Timeout | undefined;
  let nextAt = 0;
  let beating = false;
  let stopped = false;

  const schedule = (inMs: number) => {
    const at = options.now() + inMs;
    if (stopped || beating || (timer !== undefined && nextAt <= at)) return;
    clearTimeout(timer);
    nextAt = at;
    timer = setTimeout(beat, inMs);
  };
  const beat = async () => {
    timer = undefined;
    beating = true;
    const told = untold ?? last;
    untold = undefined;
    last = told;
    try {
      const { cancelRequested } = await options.api.heartbeat(assignmentId, told);
      if (cancelRequested && !stopped) onStop('cancelled');
    } catch (error) {
      if (error instanceof ApiError && (error.status === 409 || error.status === 404) && !stopped) onStop('lost');
    } finally {
      beating = false;
      schedule(untold ? progressEveryMs : everyMs);
    }
  };
  schedule(0);
  return {
    tell(progress: Progress) {
      untold = progress;
      schedule(progressEveryMs);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
