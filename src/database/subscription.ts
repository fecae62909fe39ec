/** Source of notifications, as a waiter needs it. `Topic` names what may have changed, for example `job:17`. */
export interface NotificationSource<Topic extends string = string> {
  /** Returns false while notifications of other processes may be lost. */
  connected(): boolean;
  /** Calls `wake` when the topic may have changed. Returns the function that ends the subscription. */
  subscribe(topic: Topic, wake: () => void): () => void;
}

const pollIntervalsMs = { connected: 5_000, disconnected: 500 };

/**
 * Returns the milliseconds after which a waiter re-reads without a notification: 5,000 while notifications arrive, 500
 * while notifications may be lost.
 */
export const pollIntervalMs = (source: Pick<NotificationSource, 'connected'>): number =>
  source.connected() ? pollIntervalsMs.connected : pollIntervalsMs.disconnected;

/**
 * Waits until a topic may have changed, `maxMs` or the poll interval passed, or `signal` aborted. Resolves in each case,
 * because the caller re-reads anyway.
 */
export function waitForNotification<Topic extends string>(
  source: NotificationSource<Topic>,
  topics: readonly Topic[],
  maxMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      for (const unsubscribe of subscriptions) unsubscribe();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const subscriptions = topics.map((topic) => source.subscribe(topic, done));
    const timer = setTimeout(done, Math.min(maxMs, pollIntervalMs(source)));
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
