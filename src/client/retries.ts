import { SetupError, toMessage } from '../contract/errors.js';
import { backoffMs } from '../platform/backoff.js';
import { ApiError } from './api-error.js';
import { sleep } from './sleep.js';

export interface RetryOptions {
  signal?: AbortSignal | undefined;
  /** Returns the milliseconds to wait after so many failures in a row. */
  retryDelayMs?: (failures: number) => number;
  /** Receives the reason of the second failure in a row, because the first reconnection mostly succeeds at once. */
  onRetry?: ((reason: string) => void) | undefined;
  now?: () => number;
}

/** Limits of failures in a row. */
const maxFailures = 40;
const maxFailingMs = 180_000;
const reportedFailures = 2;
const maxRetryAfterMs = 60_000;

/** Counts failures in a row, and waits longer after each. */
export class Retries {
  private failures = 0;
  private failingSince = 0;

  constructor(private readonly options: RetryOptions) {}

  succeeded(): void {
    this.failures = 0;
  }

  /** Waits before the next attempt. Throws an error that another attempt cannot mend, and the last of too many failures. */
  async failed(failure: unknown): Promise<void> {
    const { signal, retryDelayMs = defaultDelayMs, onRetry, now = Date.now } = this.options;
    if (failure instanceof ApiError && !failure.isTransient) throw failure;
    if (this.failures === 0) this.failingSince = now();
    this.failures += 1;
    if (this.failures === reportedFailures)
      onRetry?.(failure === undefined ? 'the connection closes' : toMessage(failure));
    if (this.failures > maxFailures || now() - this.failingSince > maxFailingMs) throw toLastError(failure);
    const retryAfterMs = failure instanceof ApiError ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
    await sleep(Math.max(retryDelayMs(this.failures), Math.min(retryAfterMs, maxRetryAfterMs)), signal);
  }
}

const defaultDelayMs = (failures: number) => backoffMs(failures, { minMs: 400, maxMs: 5_000 });

function toLastError(failure: unknown): Error {
  if (failure instanceof ApiError) return failure;
  const reason = failure === undefined ? '' : `: ${toMessage(failure)}`;
  return new SetupError(`The stream of logs breaks again and again${reason}`, { cause: failure });
}
