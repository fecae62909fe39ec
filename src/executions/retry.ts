import { setTimeout as sleep } from 'node:timers/promises';

interface RetryOptions {
  /** Ends the retries: the next attempt is the last. */
  signal: AbortSignal;
  intervalMs: number;
  /** Receives the error of each attempt but the last. */
  onRetry(error: unknown): void;
}

/** Repeats `act` until success, because output and ends of commands must not be lost while the database is away. */
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
