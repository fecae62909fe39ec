export interface BackoffOptions {
  /** Milliseconds after the first failure, before jitter. */
  minMs: number;
  /** Upper bound in milliseconds, however many failures there were. */
  maxMs: number;
  /** Returns a number from 0 to 1; tests pass a constant. */
  random?: () => number;
}

/**
 * Returns the milliseconds to wait after `failures` failures in a row: doubled with each failure up to `maxMs`, then reduced
 * by up to half at random, so that callers that failed together do not retry together. For example, the third failure
 * with `minMs` 1,000 waits 2,000 to 4,000.
 * Formula: "equal jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
 */
export function backoffMs(failures: number, { minMs, maxMs, random = Math.random }: BackoffOptions): number {
  return Math.min(maxMs, minMs * 2 ** (failures - 1)) * (0.5 + random() / 2);
}
