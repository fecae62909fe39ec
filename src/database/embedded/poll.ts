import { setTimeout as delay } from 'node:timers/promises';

const minDelayMs = 2;
const maxDelayMs = 50;

/** Repeats `probe` until the result is not undefined, and returns the result; undefined after `timeoutMs`. */
export async function poll<T>(
  timeoutMs: number,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (let delayMs = minDelayMs; ; delayMs = Math.min(delayMs * 1.2, maxDelayMs)) {
    const result = await probe();
    if (result !== undefined) return result;
    if (performance.now() > deadline) return undefined;
    await delay(delayMs);
  }
}
