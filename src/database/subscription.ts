import { setTimeout as sleep } from 'node:timers/promises';

/** Source of notifications, as a waiter needs it. `Topic` names what may have changed, for example `job:17`. */
export interface NotificationSource<Topic extends string = string> {
  /** Returns false while notifications of other processes may be lost. */
  connected(): boolean;
  /** Calls `onChange` when the topic may have changed. Returns the function that ends the subscription. */
  subscribe(topic: Topic, onChange: () => void): () => void;
}

/** Returns the milliseconds until a waiter re-reads without a notification: fewer while notifications may be lost. */
export const pollIntervalMs = (source: Pick<NotificationSource, 'connected'>): number =>
  source.connected() ? 5_000 : 500;

/** Resolves when a topic may have changed, `maxMs` or the poll interval passed, or `signal` aborted. */
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

export interface ReadOnChangeOptions<Topic extends string> {
  topics: readonly Topic[];
  /** Ends the reading after so many milliseconds. */
  waitMs: number;
  /** Upper bound for the milliseconds between two reads, for values with changes without a notification. */
  maxIntervalMs?: number;
  /** Milliseconds to wait after a notification, to read a burst of changes once. */
  settleMs?: number;
  signal: AbortSignal;
  now(): number;
}

/**
 * Yields what `read` returns: at once, and again after each notification, until `waitMs` passed or `signal` aborted.
 * Subscribes before each read, because a change between the read and the wait must not be lost.
 */
export async function* readOnChange<Value, Topic extends string>(
  source: NotificationSource<Topic>,
  { topics, waitMs, maxIntervalMs = waitMs, settleMs = 0, signal, now }: ReadOnChangeOptions<Topic>,
  read: () => Promise<Value>,
): AsyncGenerator<Value, void> {
  const deadline = now() + waitMs;
  for (;;) {
    const stop = new AbortController();
    const remainingMs = Math.max(0, deadline - now());
    const changed =
      remainingMs > 0 &&
      waitForNotification(source, topics, Math.min(maxIntervalMs, remainingMs), AbortSignal.any([signal, stop.signal]));
    try {
      yield await read();
      if (!changed || signal.aborted) return;
      await changed;
    } finally {
      stop.abort();
    }
    if (settleMs > 0) await sleep(Math.min(settleMs, Math.max(0, deadline - now())));
  }
}
