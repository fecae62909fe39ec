import { randomUUID } from 'node:crypto';
import type { Database } from './database.js';
import { Listener } from './listener.js';

/** Publishes changed topics, for example `job:17`, to the subscribers in every process of a database. */
export interface Notifications {
  /** Calls subscribers in the same process at once, and in other processes within milliseconds. */
  publish(topics: Iterable<string>): void;
  /** Calls `onChange` when the topic may have changed: a hint to read again. Returns a function to unsubscribe. */
  subscribe(topic: string, onChange: () => void): () => void;
  /** Subscribes to every topic: `onChange` receives the topic, or undefined when any topic may have changed. */
  subscribeToAll(onChange: (topic: string | undefined) => void): () => void;
  /** Returns false while notifications of other processes cannot arrive. */
  connected(): boolean;
  close(): Promise<void>;
}

const channel = 'reefguide';
/** Shortest time between two NOTIFY of a process, because NOTIFY takes a lock on the whole database at commit. */
const notifyIntervalMs = 8;
/** Stays below Postgres's limit of 8,000 bytes. A payload with too many topics is sent as "any topic" instead. */
const maxPayloadBytes = 7_500;
const notifySql = 'SELECT pg_notify($1, $2)';

/** Sends notifications by NOTIFY, and receives notifications by LISTEN on a separate connection to `listenUrl`. */
export class PostgresNotifications implements Notifications {
  private readonly database: Database;
  private readonly listener: Listener;
  /** Sent with each payload, because a process must not act on its own notifications twice. */
  private readonly sender = randomUUID();
  private readonly subscribers = new Map<string, Set<() => void>>();
  private readonly subscribersToAll = new Set<(topic: string | undefined) => void>();
  private readonly unsent = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<unknown> = Promise.resolve();

  constructor(options: { database: Database; listenUrl: string; onError(error: Error): void }) {
    this.database = options.database;
    this.listener = new Listener({
      url: options.listenUrl,
      channel,
      onError: options.onError,
      // Notifications may have been lost while the connection was down.
      onConnect: () => this.callAll(),
      onMessage: (payload) => this.receive(payload),
    });
  }

  publish(topics: Iterable<string>): void {
    const changed = [...topics];
    for (const topic of changed) this.unsent.add(topic);
    this.timer ??= setTimeout(() => this.send(), notifyIntervalMs);
    this.callSubscribers(changed);
  }

  subscribe(topic: string, onChange: () => void): () => void {
    const subscribers = this.subscribers.get(topic) ?? new Set();
    this.subscribers.set(topic, subscribers.add(onChange));
    return () => {
      subscribers.delete(onChange);
      if (subscribers.size === 0 && this.subscribers.get(topic) === subscribers) this.subscribers.delete(topic);
    };
  }

  subscribeToAll(onChange: (topic: string | undefined) => void): () => void {
    this.subscribersToAll.add(onChange);
    return () => this.subscribersToAll.delete(onChange);
  }

  connected(): boolean {
    return this.listener.connected();
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.sending;
    await this.listener.close();
  }

  private callAll(): void {
    for (const subscribers of this.subscribers.values()) for (const onChange of subscribers) onChange();
    for (const onChange of this.subscribersToAll) onChange(undefined);
  }

  private callSubscribers(topics: Iterable<string>): void {
    for (const topic of topics) {
      for (const onChange of this.subscribersToAll) onChange(topic);
      for (const onChange of this.subscribers.get(topic) ?? []) onChange();
    }
  }

  private receive(payload: string): void {
    const message = parsePayload(payload);
    if (message?.sender === this.sender) return;
    if (message?.topics) this.callSubscribers(message.topics);
    else this.callAll();
  }

  private send(): void {
    this.timer = undefined;
    const payload = toPayload(this.sender, [...this.unsent]);
    this.unsent.clear();
    // A lost notification only costs time, because subscribers poll as well.
    this.sending = this.database.rows('notify', notifySql, [channel, payload]).catch(() => {});
  }
}

/** Writes `["<sender>",["job:17"]]`, or `["<sender>",null]` for any topic. */
function toPayload(sender: string, topics: readonly string[]): string {
  const payload = JSON.stringify([sender, topics]);
  return Buffer.byteLength(payload) > maxPayloadBytes ? JSON.stringify([sender, null]) : payload;
}

/** Reads the format of `toPayload`. Returns undefined for a payload of another program. */
function parsePayload(payload: string): { sender: string; topics: string[] | undefined } | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    if (!Array.isArray(value)) return undefined;
    const [sender, topics]: unknown[] = value;
    return { sender: String(sender), topics: Array.isArray(topics) ? topics.map(String) : undefined };
  } catch {
    return undefined;
  }
}
