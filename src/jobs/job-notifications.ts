import type { Notifications } from '../database/notifications.js';
import type { NotificationSource } from '../database/subscription.js';

export type JobTopic = `pending:${string}` | `job:${number}` | 'demand';

const pendingPrefix = 'pending:';

/** Notifications about jobs, for the subscribers in every process of a database. */
export class JobNotifications implements NotificationSource<JobTopic> {
  constructor(private readonly notifications: Notifications) {}

  /** Notifies subscribers to types with new PENDING jobs, to jobs with a new status or progress, and to the demand. */
  publish({ pending = [], jobs = [] }: { pending?: Iterable<string>; jobs?: Iterable<number> }): void {
    const topics: JobTopic[] = ['demand'];
    for (const type of pending) topics.push(`pending:${type}`);
    for (const job of jobs) topics.push(`job:${job}`);
    this.notifications.publish(topics);
  }

  subscribe(topic: JobTopic, onChange: () => void): () => void {
    return this.notifications.subscribe(topic, onChange);
  }

  /** Calls `onPending` with each type of new waiting jobs, or undefined when any type may have new jobs. */
  subscribeToPending(onPending: (type: string | undefined) => void): () => void {
    return this.notifications.subscribeToAll((topic) => {
      if (topic === undefined) onPending(undefined);
      else if (topic.startsWith(pendingPrefix)) onPending(topic.slice(pendingPrefix.length));
    });
  }

  connected(): boolean {
    return this.notifications.connected();
  }
}
