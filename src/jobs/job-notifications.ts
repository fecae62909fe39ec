import type { Notifications } from '../database/notifications.js';

/** What may have changed: job types that have new waiting jobs, jobs by id, and the demand as a whole. */
export interface Change {
  /** Types of which jobs became free to take. */
  pending?: Iterable<string>;
  /** Jobs whose status or progress changed. */
  jobs?: Iterable<number>;
}

export type Topic = `pending:${string}` | `job:${number}` | 'demand';

export interface Signals extends Pick<Notifications, 'connected'> {
  /** Wakes the waiters of this process at once and those of the others within milliseconds. */
  publish(change: Change): void;
  /** Calls `wake` when the topic may have changed; a hint, so the listener re-reads. Returns the way to stop. */
  subscribe(topic: Topic, wake: () => void): () => void;
  /** Calls `wake` with each type that got waiting jobs; undefined means any type. */
  onPending(wake: (type: string | undefined) => void): () => void;
}

const pendingPrefix = 'pending:';

/** The notifications that speak of jobs. */
export function createSignals(notifications: Notifications): Signals {
  return {
    publish({ pending = [], jobs = [] }) {
      const topics: Topic[] = ['demand'];
      for (const type of pending) topics.push(`pending:${type}`);
      for (const job of jobs) topics.push(`job:${job}`);
      notifications.publish(topics);
    },
    subscribe: (topic, wake) => notifications.subscribe(topic, wake),
    onPending: (wake) =>
      notifications.subscribeToAll((topic) => {
        if (topic === undefined) wake(undefined);
        else if (topic.startsWith(pendingPrefix)) wake(topic.slice(pendingPrefix.length));
      }),
    connected: () => notifications.connected(),
  };
}
