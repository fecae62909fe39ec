import { jest } from '@jest/globals';
import type { DisconnectReason } from '../../src/contract/executions.js';
import type { Notifications } from '../../src/database/notifications.js';
import { createFeeds, type Subscriber } from '../../src/executions/logs/feed.js';
import type { StoredEvent } from '../../src/executions/logs/store.js';

export interface End {
  ended: boolean;
  attached: boolean;
  /** By the clock of `performance`. */
  at?: number;
}

export interface Reader extends Subscriber {
  places: number[];
  /** Bytes of what it got, a number each time. */
  sizes: number[];
  ends: DisconnectReason[];
}

/** Feeds on a log in memory that tells of what it is asked, and fails when a test says so. */
export function feedGround({ pageSize = 2_000 } = {}) {
  const events: StoredEvent[] = [];
  const wakes = new Map<string, Set<() => void>>();
  const asked: number[] = [];
  const errors: unknown[] = [];
  const state = { connected: true, end: { ended: false, attached: true } as End | undefined };
  /** Says of each call to the database whether it fails. */
  let fails = () => false;
  const call = async <T>(answer: () => T): Promise<T> => {
    await Promise.resolve();
    if (fails()) throw new Error('the database is away');
    return answer();
  };
  const notifications: Notifications = {
    publish() {},
    subscribe(topic, wake) {
      const set = wakes.get(topic) ?? new Set();
      wakes.set(topic, set.add(wake));
      return () => set.delete(wake);
    },
    subscribeToAll: () => () => {},
    connected: () => state.connected,
    async close() {},
  };
  const feeds = createFeeds({
    logs: {
      after(_, place) {
        asked.push(place);
        return call(() => events.filter((event) => event.place > place).slice(0, pageSize));
      },
      lastPlace: () => call(() => events.at(-1)?.place ?? 0),
    },
    records: {
      endOf: () =>
        call(
          () => state.end && { ...state.end, forMs: performance.now() - (state.end.at ?? Number.NEGATIVE_INFINITY) },
        ),
    },
    notifications,
    encode: (messages) => Buffer.from(`[${messages}]`),
    onError: (error) => errors.push(error),
  });
  return {
    feeds,
    events,
    /** Places of which the database was asked what comes after them. */
    asked,
    errors,
    state,
    failWhen(condition: () => boolean) {
      fails = condition;
    },
    /** How many would hear of something new. */
    listening: () => [...wakes.values()].reduce((sum, { size }) => sum + size, 0),
    append(count: number, { length = 5, isHeard = true, gap = 1 } = {}) {
      for (let n = 0; n < count; n += 1) {
        const place = (events.at(-1)?.place ?? 0) + gap;
        events.push({ place, event_id: `event-${place}`, timestamp: place, message: 'x'.repeat(length) });
      }
      if (isHeard) this.wake();
    },
    wake() {
      for (const set of wakes.values()) for (const wake of set) wake();
    },
    /** A subscriber that is ready when `ready` says so. */
    reader(ready: () => boolean | Promise<boolean> = () => true): Reader {
      const places: number[] = [];
      const sizes: number[] = [];
      const ends: DisconnectReason[] = [];
      return {
        places,
        sizes,
        ends,
        send(bytes) {
          if (ends.length > 0) throw new Error('something was sent after the end');
          for (const { timestamp } of JSON.parse(String(bytes))) places.push(timestamp);
          sizes.push(bytes.length);
        },
        ready: async () => ready(),
        end: (reason) => ends.push(reason),
      };
    },
  };
}

/** Lets time pass on the clock of the test. */
export const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
export const later = (ms: number) => new Promise<true>((resolve) => setTimeout(() => resolve(true), ms));
export const placesFrom = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n);

/** Ends the execution, which the feeds hear. */
export function endOf(ground: ReturnType<typeof feedGround>, attached = true): void {
  ground.state.end = { ended: true, attached, at: performance.now() };
  ground.wake();
}
