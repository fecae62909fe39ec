import type { DisconnectReason } from '../../contract/executions.js';
import type { Notifications } from '../../database/notifications.js';
import { pollIntervalMs } from '../../database/subscription.js';
import { type ExecutionEnd, executionTopic } from '../runs/sql.js';
import { type LogStore, logsTopic } from './store.js';
import { type Chunk, chunkEvents, LogTail } from './tail.js';

/** Receiver of the log of an execution, for example a WebSocket. */
export interface Subscriber {
  send(bytes: Buffer): void;
  /** Resolves with true when the subscriber has room for more, with false when the subscriber is too slow. */
  hasRoom(): Promise<boolean>;
  /** Ends the connection. Nothing is sent afterwards. */
  end(reason: DisconnectReason): void;
}

export interface FeedDependencies {
  logs: Pick<LogStore, 'readAfter' | 'lastPosition'>;
  readEnd(executionId: string): Promise<ExecutionEnd | undefined>;
  notifications: Pick<Notifications, 'subscribe' | 'connected'>;
  encode(messages: readonly string[]): Buffer;
  onError(error: unknown): void;
}

/** Time between two reads of a busy execution: more subscribers, more time, up to the maximum. */
const minRefreshMs = 15;
const maxRefreshMs = 100;
/** Time for log lines of a provider to arrive after the end of the task. */
const lateLinesMs = 3_000;
const retryMs = 500;

/**
 * Sends the log events of executions to the subscribers in this process: stored events first, then new ones, in one
 * sequence read from the database by position, so no event comes twice or is missing, whichever process stored the
 * event. Postgres is the buffer of a slow subscriber; memory holds a bounded tail for each execution.
 */
export class LogFeeds {
  private readonly feeds = new Map<string, ExecutionFeed>();
  private isClosed = false;

  constructor(private readonly deps: FeedDependencies) {}

  /** Sends the events after `position` and all later ones. Returns the function that unsubscribes. */
  subscribe(executionId: string, position: number, subscriber: Subscriber): () => void {
    if (this.isClosed) {
      subscriber.end('server_stopping');
      return () => {};
    }
    const feed = this.feeds.get(executionId) ?? this.open(executionId);
    const subscription = new Subscription(feed, subscriber, position);
    feed.add(subscription);
    return () => feed.remove(subscription);
  }

  countSubscribers(): number {
    return [...this.feeds.values()].reduce((sum, { subscriptions }) => sum + subscriptions.size, 0);
  }

  /** Ends every subscription, later subscriptions too. */
  close(): void {
    this.isClosed = true;
    for (const feed of this.feeds.values())
      for (const subscription of feed.subscriptions) feed.remove(subscription, 'server_stopping');
  }

  private open(executionId: string): ExecutionFeed {
    const feed = new ExecutionFeed(executionId, this.deps, () => {
      if (this.feeds.get(executionId) === feed) this.feeds.delete(executionId);
    });
    this.feeds.set(executionId, feed);
    return feed;
  }
}

/** Reads the log of one execution for all subscribers, from the first subscription to the last. */
class ExecutionFeed {
  readonly subscriptions = new Set<Subscription>();
  /** Undefined before the first read. */
  private tail: LogTail | undefined;
  private isEnded = false;
  private isRefreshing = false;
  /** True when events or the end may have been stored since the last refresh began. */
  private isStale = false;
  private refreshedAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private readonly unsubscribes: (() => void)[];

  constructor(
    private readonly executionId: string,
    readonly deps: FeedDependencies,
    private readonly onEmpty: () => void,
  ) {
    this.unsubscribes = [logsTopic(executionId), executionTopic(executionId)].map((topic) =>
      deps.notifications.subscribe(topic, () => this.requestRefresh()),
    );
  }

  /** Position of the newest event; undefined before the first read. */
  get head(): number | undefined {
    return this.tail?.end;
  }

  /** Returns true when the execution has ended and a subscriber at `position` has received everything. */
  isCompleteAt(position: number): boolean {
    return this.isEnded && position >= (this.head ?? 0);
  }

  add(subscription: Subscription): void {
    this.subscriptions.add(subscription);
    if (!this.tail || this.isEnded) this.requestRefresh();
    else void subscription.sendRest();
  }

  /** Ends a subscription, and the feed after the last subscription. Without a reason the subscriber has left. */
  remove(subscription: Subscription, reason?: DisconnectReason): void {
    if (!this.subscriptions.delete(subscription)) return;
    subscription.end(reason);
    if (this.subscriptions.size > 0) return;
    clearTimeout(this.timer);
    for (const unsubscribe of this.unsubscribes) unsubscribe();
    this.onEmpty();
  }

  /** Returns chunks from `position` to the head at most: from the tail, or a page from the database. */
  async readChunks(position: number, head: number): Promise<Chunk[]> {
    const chunks = this.tail?.readAfter(position);
    if (chunks) return chunks;
    const events = await this.deps.logs.readAfter(this.executionId, position);
    // Stops where the next chunk of the tail begins, and the subscriber goes on from the tail.
    const upToHead = events.filter((event) => event.position <= head);
    return chunkEvents(upToHead, position, this.deps.encode);
  }

  /** Refreshes now, or as soon as the shortest time since the last refresh has passed. */
  private requestRefresh(): void {
    if (this.isStale) return;
    this.isStale = true;
    if (this.isRefreshing) return;
    const waitMs = this.refreshedAt + this.refreshIntervalMs() - performance.now();
    if (waitMs <= 0) void this.refresh();
    else this.refreshIn(waitMs);
  }

  private refreshIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), ms);
  }

  /** Grows with the subscribers, because writing to sockets costs most, and a write takes any number of lines. */
  private refreshIntervalMs(): number {
    return Math.min(maxRefreshMs, Math.max(minRefreshMs, this.subscriptions.size / 5));
  }

  private async refresh(): Promise<void> {
    this.isRefreshing = true;
    this.isStale = false;
    this.refreshedAt = performance.now();
    clearTimeout(this.timer);
    let nextMs = pollIntervalMs(this.deps.notifications);
    try {
      // Reads the end first: all events stored before the end are then read below.
      const end = await this.deps.readEnd(this.executionId);
      await this.readNewEvents();
      const lateMs = end?.hasEnded && !end.isAttached ? lateLinesMs - end.endedMsAgo : 0;
      this.isEnded = end === undefined || (end.hasEnded && lateMs <= 0);
      if (lateMs > 0) nextMs = lateMs;
      this.sendToAll();
    } catch (error) {
      this.deps.onError(error);
      // Refreshes again for subscribers added during the failed refresh.
      this.isEnded = false;
      nextMs = retryMs;
    } finally {
      this.isRefreshing = false;
      if (this.subscriptions.size > 0 && (this.isStale || !this.isEnded))
        this.refreshIn(this.isStale ? this.refreshIntervalMs() : nextMs);
    }
  }

  /** Adds all events after the head to the tail. The first call only finds the head. */
  private async readNewEvents(): Promise<void> {
    const { logs, encode } = this.deps;
    this.tail ??= new LogTail(await logs.lastPosition(this.executionId));
    for (;;) {
      const events = await logs.readAfter(this.executionId, this.tail.end);
      if (events.length === 0) return;
      this.tail.add(chunkEvents(events, this.tail.end, encode));
      this.sendToAll();
    }
  }

  private sendToAll(): void {
    for (const subscription of this.subscriptions) void subscription.sendRest();
  }
}

/** Sends a subscriber the events after `position`, in order, as fast as the subscriber has room. */
class Subscription {
  private isSending = false;
  private isOver = false;

  constructor(
    private readonly feed: ExecutionFeed,
    private readonly subscriber: Subscriber,
    private position: number,
  ) {}

  /** Sends everything up to the head of the feed, then ends the subscription of an ended execution. */
  async sendRest(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    while (!this.isOver && this.feed.head !== undefined && this.position < this.feed.head) {
      const { head } = this.feed;
      try {
        const chunks = await this.feed.readChunks(this.position, head);
        await this.send(chunks);
        // Skips deleted events.
        if (chunks.length === 0) this.position = head;
      } catch (error) {
        this.feed.deps.onError(error);
        await new Promise<void>((resolve) => {
          setTimeout(resolve, retryMs).unref();
        });
      }
    }
    this.isSending = false;
    if (!this.isOver && this.feed.isCompleteAt(this.position)) this.feed.remove(this, 'execution_completed');
  }

  end(reason: DisconnectReason | undefined): void {
    this.isOver = true;
    if (reason) this.subscriber.end(reason);
  }

  private async send(chunks: readonly Chunk[]): Promise<void> {
    for (const { bytes, last } of chunks) {
      if (this.isOver) return;
      this.subscriber.send(bytes);
      this.position = last;
      if (!(await this.subscriber.hasRoom())) this.feed.remove(this, 'slow_consumer');
    }
  }
}
