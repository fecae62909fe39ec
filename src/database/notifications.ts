import { randomUUID } from 'node:crypto';
import type { Database } from './database.js';
import { listen } from './listener.js';

/** What may have changed (`job:17`), told to every process of one database. */
export interface Notices {
  /** Wakes the subscribers of this process at once and those of the others within milliseconds. */
  publish(topics: Iterable<string>): void;
  /** Calls `wake` when the topic may have changed; a hint, so the listener re-reads. Returns the way to stop. */
  subscribe(topic: string, wake: () => void): () => void;
  /** Calls `wake` with each topic that may have changed; undefined means any of them. Returns the way to stop. */
  onEach(wake: (topic: string | undefined) => void): () => void;
  /** False while notifications of other processes cannot be heard. */
  connected(): boolean;
  close(): Promise<void>;
}

const channel = 'reefguide';
/** One NOTIFY takes a lock on the whole database at its commit, so a process sends at most one in this time. */
const sendEveryMs = 8;
/** NOTIFY payloads end at 8,000 bytes; with more topics than fit, everything may have changed. */
const maxPayloadBytes = 7_500;

interface Message {
  from: string;
  topics: string[] | undefined;
}

function parseMessage(payload: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    if (!Array.isArray(value)) return undefined;
    const [from, topics]: unknown[] = value;
    return { from: String(from), topics: Array.isArray(topics) ? topics.map(String) : undefined };
  } catch {
    return undefined;
  }
}

export function createNotices(options: {
  database: Database;
  listenUrl: string;
  onError(error: Error): void;
}): Notices {
  const { database } = options;
  const self = randomUUID();
  const subscribers = new Map<string, Set<() => void>>();
  const ofAll = new Set<(topic: string | undefined) => void>();
  const unsent = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<unknown> = Promise.resolve();

  const wakeAll = () => {
    for (const wakes of subscribers.values()) for (const wake of wakes) wake();
    for (const wake of ofAll) wake(undefined);
  };
  const wakeFor = (topics: Iterable<string>) => {
    for (const topic of topics) {
      for (const wake of ofAll) wake(topic);
      for (const wake of subscribers.get(topic) ?? []) wake();
    }
  };

  const listener = listen({
    url: options.listenUrl,
    channel,
    onError: options.onError,
    onConnect: wakeAll,
    onMessage(payload) {
      const message = parseMessage(payload);
      if (message?.from === self) return;
      if (message?.topics) wakeFor(message.topics);
      else wakeAll();
    },
  });

  const send = () => {
    timer = undefined;
    const named = JSON.stringify([self, [...unsent]]);
    const payload = Buffer.byteLength(named) > maxPayloadBytes ? JSON.stringify([self, null]) : named;
    unsent.clear();
    // A hint that is lost is made good by the listeners' own polling, so a failure here is nobody's concern.
    sending = database.rows('notify', 'SELECT pg_notify($1, $2)', [channel, payload]).catch(() => {});
  };

  return {
    publish(topics) {
      const changed = [...topics];
      for (const topic of changed) unsent.add(topic);
      timer ??= setTimeout(send, sendEveryMs);
      wakeFor(changed);
    },
    subscribe(topic, wake) {
      const wakes = subscribers.get(topic) ?? new Set();
      subscribers.set(topic, wakes.add(wake));
      return () => {
        wakes.delete(wake);
        if (wakes.size === 0 && subscribers.get(topic) === wakes) subscribers.delete(topic);
      };
    },
    onEach(wake) {
      ofAll.add(wake);
      return () => ofAll.delete(wake);
    },
    connected: () => listener.connected(),
    async close() {
      clearTimeout(timer);
      await sending;
      await listener.close();
    },
  };
}
