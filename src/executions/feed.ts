import type { DisconnectReason, LogMessage } from '../contract/executions.js';
import type { Notices } from '../database/notices.js';
import { type LogStore, logsTopic, type StoredEvent } from './log-store.js';
import { executionTopic, type Records } from './records.js';

/** Somebody who listens. */
export interface Subscriber {
  send(frames: readonly string[]): void;
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

interface Frame {
  place: number;
  text: string;
}

/** Of an execution the newest lines are kept for its subscribers; who is further behind reads from the database. */
export const keptFrames = 2_000;
export const keptCharacters = 1_000_000;
/** A subscriber gets so many characters, or one line, before it is asked whether it is ready for more. */
const sentCharacters = 65_536;
/** While lines come all the time, they are read this often at most. */
const refreshEveryMs = 15;
const mostRefreshMs = 100;
/** Lines that a provider delivers may arrive after the end of their task. */
const lateLinesMs = 3_000;
const lookAgainMs = { connected: 5_000, alone: 500 };

const frameOf = ({ place: _, ...event }: StoredEvent): string => {
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
  notices: Notices;
  onError(error: unknown): void;
}) {
  const feeds = new Map<string, ReturnType<typeof openFeed>>();
  let closed = false;

  const openFeed = (executionId: string) => {
    const listeners = new Set<Listening>();
    const tail: Frame[] = [];
    let characters = 0;
    /** Everything up to it was read; the tail holds what came after `tailFrom`. */
    let head: number | undefined;
    let tailFrom = 0;
    let ended = false;
    let refreshing = false;
    /** Something may have changed since the last look. */
    let stale = false;
    let lookedAt = Number.NEGATIVE_INFINITY;
    let timer: NodeJS.Timeout | undefined;

    const keep = (events: readonly StoredEvent[]) => {
      for (const event of events) {
        const text = frameOf(event);
        tail.push({ place: event.place, text });
        characters += text.length;
      }
      let dropped = 0;
      for (; tail.length - dropped > keptFrames || characters > keptCharacters; dropped += 1) {
        const frame = tail[dropped];
        if (!frame) break;
        characters -= frame.text.length;
        tailFrom = frame.place;
      }
      tail.splice(0, dropped);
    };

    /** What comes after `place`: from the tail when it reaches back so far. */
    const framesAfter = async (place: number): Promise<Frame[]> => {
      if (head !== undefined && place >= tailFrom) return tail.slice(firstAfter(tail, place));
      const events = await deps.logs.after(executionId, place);
      return events.map((event) => ({ place: event.place, text: frameOf(event) }));
    };

    const send = async (listening: Listening, frames: readonly Frame[]): Promise<void> => {
      for (let next = 0; next < frames.length && !listening.over; ) {
        const part = firstPart(frames, next);
        listening.subscriber.send(part.map(({ text }) => text));
        listening.place = part.at(-1)?.place ?? listening.place;
        next += part.length;
        if (!(await listening.subscriber.ready())) leave(listening, 'slow_consumer');
      }
    };
    const pump = async (listening: Listening): Promise<void> => {
      if (listening.pumping) return;
      listening.pumping = true;
      while (!listening.over && head !== undefined && listening.place < head) {
        const upTo = head;
        try {
          const frames = await framesAfter(listening.place);
          await send(listening, frames);
          // What was there has been deleted.
          if (frames.length === 0) listening.place = upTo;
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
      let nextMs = deps.notices.connected() ? lookAgainMs.connected : lookAgainMs.alone;
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
          keep(events);
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
      deps.notices.subscribe(topic, wake),
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

/** What is sent at a time of what comes from `start` on. */
function firstPart(frames: readonly Frame[], start: number): readonly Frame[] {
  let characters = frames[start]?.text.length ?? 0;
  let end = start + 1;
  for (; end < frames.length; end += 1) {
    characters += frames[end]?.text.length ?? 0;
    if (characters > sentCharacters) break;
  }
  return frames.slice(start, end);
}

/** Index of the first frame after a place; frames are in the order of places. */
function firstAfter(frames: readonly Frame[], place: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((frames[middle]?.place ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
