import { randomUUID } from 'node:crypto';
import type { Database } from '../database/database.js';
import { listen } from '../database/listener.js';

/** What may have changed: job types that have new waiting jobs, jobs by id, and the demand as a whole. */
export interface Change {
  /** Types of which jobs became free to take. */
  pending?: Iterable<string>;
  /** Jobs whose status or progress changed. */
  jobs?: Iterable<number>;
}

export type Topic = `pending:${string}` | `job:${number}` | 'demand';

export interface Signals {
  /** Wakes the waiters of this process at once and those of the others within milliseconds. */
  publish(change: Change): void;
  /** Calls `wake` when the topic may have changed; a hint, so the listener re-reads. Returns the way to stop. */
  subscribe(topic: Topic, wake: () => void): () => void;
  /** Calls `wake` with each type that got waiting jobs; undefined means any type. */
  onPending(wake: (type: string | undefined) => void): () => void;
  /** False while notifications of other processes cannot be heard. */
  connected(): boolean;
  close(): Promise<void>;
}

const channel = 'reefguide_jobs';
/** One NOTIFY takes a lock on the whole database at its commit, so a process sends at most one in this time. */
const sendEveryMs = 8;
/** NOTIFY payloads end at 8,000 bytes; with more ids than this, everything may have changed. */
const maxIds = 500;

interface Message {
  from: string;
  pending: string[];
  /** null: too many to name. */
  jobs: number[] | null;
}

function parseMessage(payload: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    if (
      typeof value !== 'object' ||
      value === null ||
      !('from' in value) ||
      !('pending' in value) ||
      !('jobs' in value)
    ) {
      return undefined;
    }
    const { from, pending, jobs } = value;
    if (typeof from !== 'string' || !Array.isArray(pending)) return undefined;
    return { from, pending: pending.map(String), jobs: Array.isArray(jobs) ? jobs.map(Number) : null };
  } catch {
    return undefined;
  }
}

export function createSignals(options: {
  database: Database;
  listenUrl: string;
  onError(error: Error): void;
}): Signals {
  const { database } = options;
  const self = randomUUID();
  const topics = new Map<Topic, Set<() => void>>();
  const pendingListeners = new Set<(type: string | undefined) => void>();
  const unsentTypes = new Set<string>();
  const unsentJobs = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<unknown> = Promise.resolve();

  const wakeTopic = (topic: Topic) => {
    for (const wake of topics.get(topic) ?? []) wake();
  };
  const wakeAll = () => {
    for (const wakes of topics.values()) for (const wake of wakes) wake();
    for (const wake of pendingListeners) wake(undefined);
  };
  const wakeFor = ({ pending, jobs }: { pending: Iterable<string>; jobs: Iterable<number> }) => {
    for (const type of pending) {
      for (const wake of pendingListeners) wake(type);
      wakeTopic(`pending:${type}`);
    }
    for (const job of jobs) wakeTopic(`job:${job}`);
    wakeTopic('demand');
  };

  const listener = listen({
    url: options.listenUrl,
    channel,
    onError: options.onError,
    onConnect: wakeAll,
    onMessage(payload) {
      const message = parseMessage(payload);
      if (message?.from === self) return;
      if (!message || message.jobs === null) wakeAll();
      else wakeFor({ pending: message.pending, jobs: message.jobs });
    },
  });

  const send = () => {
    timer = undefined;
    const message: Message = {
      from: self,
      pending: [...unsentTypes].slice(0, 50),
      jobs: unsentJobs.size > maxIds || unsentTypes.size > 50 ? null : [...unsentJobs],
    };
    unsentTypes.clear();
    unsentJobs.clear();
    // A hint that is lost is made good by the listeners' own polling, so a failure here is nobody's concern.
    sending = database.rows('notify', 'SELECT pg_notify($1, $2)', [channel, JSON.stringify(message)]).catch(() => {});
  };

  return {
    publish({ pending = [], jobs = [] }) {
      for (const type of pending) unsentTypes.add(type);
      for (const job of jobs) unsentJobs.add(job);
      timer ??= setTimeout(send, sendEveryMs);
      wakeFor({ pending, jobs });
    },
    subscribe(topic, wake) {
      const wakes = topics.get(topic) ?? new Set();
      topics.set(topic, wakes.add(wake));
      return () => {
        wakes.delete(wake);
        if (wakes.size === 0 && topics.get(topic) === wakes) topics.delete(topic);
      };
    },
    onPending(wake) {
      pendingListeners.add(wake);
      return () => pendingListeners.delete(wake);
    },
    connected: () => listener.connected(),
    async close() {
      clearTimeout(timer);
      await sending;
      await listener.close();
    },
  };
}
