import type { Signals, Topic } from './job-notifications.js';

/** How often waiters look again by themselves: seldom while notifications arrive, often while they may be missed. */
export const lookAgainMs = (signals: Signals) => (signals.connected() ? 5_000 : 500);

/**
 * Waits until one of `topics` may have changed, `milliseconds` passed, or `signal` aborted; resolves in each case, since
 * the caller re-reads anyway.
 */
export function waitForChange(
  signals: Signals,
  topics: readonly Topic[],
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stops = topics.map((topic) => signals.subscribe(topic, done));
    const timer = setTimeout(done, Math.min(milliseconds, lookAgainMs(signals)));
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
