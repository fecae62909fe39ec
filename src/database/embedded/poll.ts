import { setTimeout as delay } from 'node:timers/promises';

/** Repeats `probe` every 2 to 50 ms until the result is not undefined, and returns the result; undefined after `timeoutMs`. */
export async function poll<T>(timeoutMs: number, probe: () => T | undefined | Promise<T | undefined>) {
  const deadline = performance.now() + timeoutMs;
  for (let delayMs = 2; ; delayMs = Math.min(delayMs * 1.2, 50)) {
    const result = await probe();
    if (result !== undefined) return result;
    if (performance.now() > deadline) return undefined;
    await delay(delayMs);
  }
}
