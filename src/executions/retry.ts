import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** Stops the waiting: one more attempt is made, and its error thrown. */
  signal: AbortSignal;
  intervalMs: number;
  /** Receives the error of each attempt that is followed by another. */
  onRetry(error: unknown): void;
}

/** Repeats `act` until an attempt succeeds, because output and ends of commands must not be lost while the database is away. */
export async function retryUntilRecorded<T>(act: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, intervalMs, onRetry } = options;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted) throw error;
      onRetry(error);
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
    }
  }
}
