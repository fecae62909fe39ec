import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Api } from '../client/api.js';
import { ApiError } from '../client/api-error.js';
import type { Claim } from '../contract/jobs.js';
import { backoffMs } from '../platform/backoff.js';
import type { JobHandler } from './handler.js';
import { runJob } from './run-job.js';
import type { TaskIdentity } from './task.js';

export interface WorkerOptions {
  api: Api;
  log: Logger;
  task: TaskIdentity;
  /** Handlers by job type; the worker claims jobs of these types alone. */
  handlers: Readonly<Record<string, JobHandler>>;
  concurrency: number;
  /** The worker ends after so long without a job; undefined: never. */
  idleTimeoutMs: number | undefined;
  /** Directory in which each job gets a temporary directory. */
  scratchDirectory: string;
  heartbeatMs?: number;
  /** Time that running jobs have to end after a stop; a job still running then is released. */
  graceMs?: number;
  now(): number;
}

const claimWaitSeconds = 20;
const claimBackoff = { minMs: 500, maxMs: 30_000 };
const defaultGraceMs = 20_000;

/** Claims jobs and runs them, `concurrency` at a time. */
export class Worker {
  private readonly stopping = new AbortController();
  private readonly releasing = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private lastBusyMs: number;

  constructor(private readonly options: WorkerOptions) {
    this.lastBusyMs = options.now();
  }

  /** Works until stopped or idle for too long, and resolves when no job runs. Throws when the API refuses the worker. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    let failures = 0;
    try {
      while (!signal.aborted && (this.running.size > 0 || this.idleLeftMs() > 0)) {
        const free = this.options.concurrency - this.running.size;
        if (free === 0) {
          await Promise.race(this.running);
          continue;
        }
        try {
          for (const claim of await this.claim(free)) this.start(claim);
          failures = 0;
        } catch (error) {
          if (signal.aborted) break;
          if (error instanceof ApiError && !error.isTransient) throw error;
          failures += 1;
          this.options.log.warn({ err: error }, 'could not claim a job; retrying');
          // Rejects when the worker is stopped, which the loop notices.
          await delay(backoffMs(failures, claimBackoff), undefined, { signal }).catch(() => {});
        }
      }
    } finally {
      await Promise.all(this.running);
    }
  }

  /** Claims no more jobs. Running jobs end within the grace period, or are released. */
  stop(): void {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort();
    const timer = setTimeout(() => this.releasing.abort(), this.options.graceMs ?? defaultGraceMs).unref();
    void Promise.all(this.running).then(() => clearTimeout(timer));
  }

  private idleLeftMs(): number {
    const { idleTimeoutMs = Number.POSITIVE_INFINITY, now } = this.options;
    return this.lastBusyMs + idleTimeoutMs - now();
  }

  private async claim(count: number): Promise<Claim[]> {
    const { api, handlers, task } = this.options;
    const maxWaitSeconds = this.running.size > 0 ? claimWaitSeconds : this.idleLeftMs() / 1000;
    const { claims } = await api.claim(
      {
        jobTypes: Object.keys(handlers),
        ecsTaskArn: task.taskArn,
        ecsClusterArn: task.clusterArn,
        count,
        wait: Math.max(0, Math.min(claimWaitSeconds, maxWaitSeconds)),
      },
      this.stopping.signal,
    );
    return claims;
  }

  private start(claim: Claim): void {
    const job = runJob(this.options, claim, this.releasing.signal).finally(() => {
      this.running.delete(job);
      this.lastBusyMs = this.options.now();
    });
    this.running.add(job);
  }
}
