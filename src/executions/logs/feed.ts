import type { DisconnectReason, LogMessage } from '../../contract/executions.js';
import type { Notifications } from '../../database/notifications.js';
import { executionTopic, type Records } from '../runs/sql.js';
import { type LogStore, logsTopic, type StoredEvent } from './store.js';

/** Somebody who listens. */
export interface Subscriber {
  send(bytes: Buffer): void;
  /** Resolves when more may be sent: true; or false when the subscriber is too slow. */
  ready(): Promise<boolean>;
  /** Nothing is sent after it. */
  end(reason: DisconnectReason): void;
}

interface Listening {
  subscriber: Subscriber;
  /** Everything up to it was sent. */
  place: number;
  pumping: boolean;
  over: boolean;
}

/** What is sent at a time: the events after one place, up to another, encoded once for all subscribers. */
interface Chunk {
  after: number;
  last: number;
  bytes: Buffer;
}

/** Of an execution the newest chunks are kept for its subscribers; who is further behind reads from the database. */
export const keptChunks = 500;
export const keptBytes = 262_144;
/** A subscriber gets so many characters, or one line, before it is asked whether it is ready for more. */
const sentCharacters = 65_536;
/** While lines come all the time, they are read this often at most. */
const refreshEveryMs = 15;
const mostRefreshMs = 100;
/** Lines that a provider delivers may arrive after the end of their task. */
const lateLinesMs = 3_000;
const lookAgainMs = { connected: 5_000, alone: 500 };

const textOf = ({ place: _, ...event }: StoredEvent): string => {
  const message: LogMessage = { type: 'log', ...event };
  return JSON.stringify(message);
};

/**
 * Brings the lines of executions to whoever listens in this process: first those that are stored, then new ones, in one
 * sequence that is read from the database by place, so that none comes twice or is missing, whichever process stored it.
 * Postgres is the buffer of a slow subscriber; memory holds a bounded tail for an execution.
 */
export function createFeeds(deps: {
  logs: Pick<LogStore, 'after' | 'lastPlace'>;
  records: Pick<Records, 'endOf'>;
  notifications: Notifications;
  /** Messages as they go to subscribers. */
  encode(messages: readonly string[]): Buffer;
  onError(error: unknown): void;
}) {
  const feeds = new Map<string, ReturnType<typeof openFeed>>();
  let closed = false;

  /** Cuts events that come after a place into what is sent at a time. */
  const chunksOf = (events: readonly StoredEvent[], place: number): Chunk[] => {
    const chunks: Chunk[] = [];
    let after = place;
    let texts: string[] = [];
    let characters = 0;
    for (const [n, event] of events.entries()) {
      const text = textOf(event);
      if (texts.length > 0 && characters + text.length > sentCharacters) {
        const last = events[n - 1]?.place ?? after;
        chunks.push({ after, last, bytes: deps.encode(texts) });
        after = last;
        texts = [];
        characters = 0;
      }
      texts.push(text);
      characters += text.length;
    }
    const last = events.at(-1)?.place ?? after;
    if (texts.length > 0) chunks.push({ after, last, bytes: deps.encode(texts) });
    return chunks;
  };

  const openFeed = (executionId: string) => {
    const listeners = new Set<Listening>();
    const tail: Chunk[] = [];
    let bytes = 0;
    /** Everything up to it was read; the tail holds what came after `tailFrom`. */
    let head: number | undefined;
    let tailFrom = 0;
    let ended = false;
    let refreshing = false;
    /** Something may have changed since the last look. */
    let stale = false;
    let lookedAt = Number.NEGATIVE_INFINITY;
    let timer: NodeJS.Timeout | undefined;

    const keep = (chunks: readonly Chunk[]) => {
      for (const chunk of chunks) {
        tail.push(chunk);
        bytes += chunk.bytes.length;
      }
      while (tail.length > keptChunks || bytes > keptBytes) {
        const oldest = tail.shift();
        if (!oldest) break;
        bytes -= oldest.bytes.length;
        tailFrom = oldest.last;
      }
    };

    /** What comes after `place`, up to another: from the tail when a chunk begins there. */
    const chunksAfter = async (place: number, upTo: number): Promise<Chunk[]> => {
      const index = place < tailFrom ? -1 : indexAfter(tail, place);
      if (tail[index]?.after === place) return tail.slice(index);
      const events = await deps.logs.after(executionId, place);
      // Where the tail goes on, so that it is of use again.
      return chunksOf(
        events.filter((event) => event.place <= upTo),
        place,
      );
    };

    const send = async (listening: Listening, chunks: readonly Chunk[]): Promise<void> => {
      for (const { bytes, last } of chunks) {
        if (listening.over) return;
        listening.subscriber.send(bytes);
        listening.place = last;
        if (!(await listening.subscriber.ready())) leave(listening, 'slow_consumer');
      }
    };
    const pump = async (listening: Listening): Promise<void> => {
      if (listening.pumping) return;
      listening.pumping = true;
      while (!listening.over && head !== undefined && listening.place < head) {
        const upTo = head;
        try {
          const chunks = await chunksAfter(listening.place, upTo);
          await send(listening, chunks);
          // What was there has been deleted.
          if (chunks.length === 0) listening.place = upTo;
        } catch (error) {
          deps.onError(error);
          await after(lookAgainMs.alone);
        }
      }
      listening.pumping = false;
      if (ended && !listening.over && listening.place >= (head ?? 0)) leave(listening, 'execution_completed');
    };
    const pumpAll = () => {
      for (const listening of listeners) void pump(listening);
    };

    const refresh = async (): Promise<void> => {
      refreshing = true;
      stale = false;
      lookedAt = performance.now();
      clearTimeout(timer);
      let nextMs = deps.notifications.connected() ? lookAgainMs.connected : lookAgainMs.alone;
      try {
        // The end first: whatever was stored before it is then read below.
        const end = await deps.records.endOf(executionId);
        if (head === undefined) {
          head = await deps.logs.lastPlace(executionId);
          tailFrom = head;
        }
        for (;;) {
          const events = await deps.logs.after(executionId, head);
          const last = events.at(-1);
          if (!last) break;
          keep(chunksOf(events, head));
          head = last.place;
          pumpAll();
        }
        const waitMs = end?.ended && !end.attached ? lateLinesMs - end.forMs : 0;
        ended = end === undefined || (end.ended && waitMs <= 0);
        if (waitMs > 0) nextMs = waitMs;
        pumpAll();
      } catch (error) {
        deps.onError(error);
        // Who joined meanwhile is served by the next look.
        ended = false;
        nextMs = lookAgainMs.alone;
      } finally {
        refreshing = false;
        if (listeners.size > 0 && (stale || !ended)) timer = setTimeout(refresh, stale ? everyMs() : nextMs);
      }
    };
    /** Writing to a socket is what costs most: the more listen, the more lines go with one write. */
    const everyMs = () => Math.min(mostRefreshMs, Math.max(refreshEveryMs, listeners.size / 5));
    const wake = () => {
      if (stale) return;
      stale = true;
      if (refreshing) return;
      const waitMs = lookedAt + everyMs() - performance.now();
      clearTimeout(timer);
      if (waitMs <= 0) void refresh();
      else timer = setTimeout(refresh, waitMs);
    };
    const stops = [logsTopic(executionId), executionTopic(executionId)].map((topic) =>
      deps.notifications.subscribe(topic, wake),
    );

    const leave = (listening: Listening, reason?: DisconnectReason) => {
      if (!listeners.delete(listening)) return;
      listening.over = true;
      if (reason) listening.subscriber.end(reason);
      if (listeners.size > 0) return;
      clearTimeout(timer);
      for (const stop of stops) stop();
      if (feeds.get(executionId)?.listeners === listeners) feeds.delete(executionId);
    };

    return {
      listeners,
      join(listening: Listening) {
        listeners.add(listening);
        if (head === undefined || ended) wake();
        else void pump(listening);
      },
      leave,
    };
  };

  return {
    /** Sends what comes after a place, and goes on. Returns the way to leave. */
    subscribe(executionId: string, place: number, subscriber: Subscriber): () => void {
      if (closed) {
        subscriber.end('server_stopping');
        return () => {};
      }
      const feed = feeds.get(executionId) ?? openFeed(executionId);
      feeds.set(executionId, feed);
      const listening: Listening = { subscriber, place, pumping: false, over: false };
      feed.join(listening);
      return () => feed.leave(listening);
    },
    /** How many listen. */
    count: () => [...feeds.values()].reduce((sum, { listeners }) => sum + listeners.size, 0),
    /** Ends every subscription, also one that comes after it. */
    close() {
      closed = true;
      for (const { listeners, leave } of [...feeds.values()])
        for (const listening of [...listeners]) leave(listening, 'server_stopping');
    },
  };
}
export type Feeds = ReturnType<typeof createFeeds>;

const after = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/** Index of the first chunk that begins at a place or behind it; chunks are in the order of places. */
function indexAfter(chunks: readonly Chunk[], place: number): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunks[middle]?.after ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
