import { jest } from '@jest/globals';
import type { DisconnectReason } from '../../src/contract/executions.js';
import { LogFeeds, type Subscriber } from '../../src/executions/logs/feed.js';
import type { StoredEvent } from '../../src/executions/logs/store.js';

export interface End {
  hasEnded: boolean;
  isAttached: boolean;
  /** Time of the end, by the clock of `performance`. */
  at?: number;
}

export interface Reader extends Subscriber {
  positions: number[];
  /** Bytes of each message that was sent. */
  sizes: number[];
  ends: DisconnectReason[];
}

export type FeedFixture = ReturnType<typeof createFeedFixture>;

/** Feeds over a log in memory, which records how the log is read and fails when a test asks for failures. */
export function createFeedFixture({ pageSize = 2_000 } = {}) {
  const events: StoredEvent[] = [];
  const subscribers = new Map<string, Set<() => void>>();
  const reads: number[] = [];
  const errors: unknown[] = [];
  const state = { connected: true, end: { hasEnded: false, isAttached: true } as End | undefined };
  let fails = () => false;
  const read = async <T>(answer: () => T): Promise<T> => {
    await Promise.resolve();
    if (fails()) throw new Error('the database is away');
    return answer();
  };
  const endedMsAgo = ({ at = Number.NEGATIVE_INFINITY }: End) => performance.now() - at;
  const feeds = new LogFeeds({
    logs: {
      readAfter(_, position) {
        reads.push(position);
        return read(() => events.filter((event) => event.position > position).slice(0, pageSize));
      },
      lastPosition: () => read(() => events.at(-1)?.position ?? 0),
    },
    readEnd: () => read(() => state.end && { ...state.end, endedMsAgo: endedMsAgo(state.end) }),
    notifications: {
      subscribe(topic, notify) {
        const set = subscribers.get(topic) ?? new Set();
        subscribers.set(topic, set.add(notify));
        return () => set.delete(notify);
      },
      connected: () => state.connected,
    },
    encode: (messages) => Buffer.from(`[${messages}]`),
    onError: (error) => errors.push(error),
  });
  return {
    feeds,
    events,
    /** Positions after which the log was read. */
    reads,
    errors,
    state,
    /** Fails each read of the database for which `condition` returns true. */
    failWhen(condition: () => boolean) {
      fails = condition;
    },
    countSubscriptions: () => [...subscribers.values()].reduce((sum, { size }) => sum + size, 0),
    append(count: number, { length = 5, notifies = true, gap = 1 } = {}) {
      for (let n = 0; n < count; n += 1) {
        const position = (events.at(-1)?.position ?? 0) + gap;
        events.push({ position, event_id: `event-${position}`, timestamp: position, message: 'x'.repeat(length) });
      }
      if (notifies) this.notify();
    },
    notify() {
      for (const set of subscribers.values()) for (const notify of set) notify();
    },
    /** Ends the execution, with a notification. */
    end({ isAttached = true } = {}) {
      state.end = { hasEnded: true, isAttached, at: performance.now() };
      this.notify();
    },
    /** Returns a subscriber that has room when `hasRoom` says so. */
    createReader(hasRoom: () => boolean | Promise<boolean> = () => true): Reader {
      const positions: number[] = [];
      const sizes: number[] = [];
      const ends: DisconnectReason[] = [];
      return {
        positions,
        sizes,
        ends,
        send(bytes) {
          if (ends.length > 0) throw new Error('something was sent after the end');
          for (const { timestamp } of JSON.parse(String(bytes))) positions.push(timestamp);
          sizes.push(bytes.length);
        },
        hasRoom: async () => hasRoom(),
        end: (reason) => ends.push(reason),
      };
    },
  };
}

/** Advances the fake clock. */
export const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
/** Returns room after `ms` of the fake clock. */
export const roomAfter = (ms: number) => new Promise<true>((resolve) => setTimeout(() => resolve(true), ms));
/** Returns consecutive positions: 1, 3 → `[1, 2, 3]`. */
export const positions = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
