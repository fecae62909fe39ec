import { ApiError } from '../client/api-error.js';
import type { Progress } from '../contract/jobs.js';
import type { StopReason } from './run-job.js';
import type { WorkerOptions } from './worker.js';

const defaultHeartbeatMs = 5_000;
/** Shortest time between two reports of progress. */
const progressIntervalMs = 500;

/** Sends heartbeats of one assignment with its progress, at once and then every few seconds, until stopped. */
export class Heartbeat {
  private unsent: Progress | undefined;
  private sent: Progress | undefined;
  private timer: NodeJS.Timeout | undefined;
  private nextAtMs = 0;
  private isSending = false;
  private isStopped = false;

  /** `onStop` receives the reason when the API says that the job must stop. */
  constructor(
    private readonly options: Pick<WorkerOptions, 'api' | 'heartbeatMs' | 'now'>,
    private readonly assignmentId: number,
    private readonly onStop: (reason: StopReason) => void,
  ) {
    this.schedule(0);
  }

  setProgress(progress: Progress): void {
    this.unsent = progress;
    this.schedule(progressIntervalMs);
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private schedule(inMs: number): void {
    const atMs = this.options.now() + inMs;
    if (this.isStopped || this.isSending || (this.timer !== undefined && this.nextAtMs <= atMs)) return;
    clearTimeout(this.timer);
    this.nextAtMs = atMs;
    this.timer = setTimeout(() => void this.send(), inMs);
  }

  private async send(): Promise<void> {
    this.timer = undefined;
    this.isSending = true;
    this.sent = this.unsent ?? this.sent;
    this.unsent = undefined;
    try {
      const { cancelRequested } = await this.options.api.heartbeat(this.assignmentId, this.sent);
      if (cancelRequested && !this.isStopped) this.onStop('cancelled');
    } catch (error) {
      const isNotLive = error instanceof ApiError && (error.status === 409 || error.status === 404);
      if (isNotLive && !this.isStopped) this.onStop('requeued');
    } finally {
      this.isSending = false;
      this.schedule(this.unsent ? progressIntervalMs : (this.options.heartbeatMs ?? defaultHeartbeatMs));
    }
  }
}
