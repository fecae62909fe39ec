// On a clock of its own: what takes seconds takes none.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { keptBytes, keptChunks } from '../../../../src/executions/logs/feed.js';
import { endOf, feedGround, later, pass, placesFrom } from '../../../support/feed-fixture.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

type Ground = ReturnType<typeof feedGround>;

describe('a subscriber', () => {
  it('gets every event after its place once, in order, and then the end: whoever is slow, whatever fails', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('append' as const),
        count: fc.integer({ min: 1, max: 60 }),
        // Long ones push the tail on.
        length: fc.constantFrom(1, 1_000, 30_000),
        isHeard: fc.boolean(),
        gap: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({
        kind: fc.constant('join' as const),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        slowMs: fc.constantFrom(0, 0, 1, 20, 500, 3_000),
      }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 14, 16, 100, 600) }),
      fc.record({ kind: fc.constant('connected' as const), is: fc.boolean() }),
      fc.constant({ kind: 'end' as const }),
    );
    const failing = fc.infiniteStream(fc.constantFrom(false, false, false, true));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), failing, async (steps, attached, failures) => {
        const ground = feedGround({ pageSize: 25 });
        ground.failWhen(() => failures.next().value === true);
        const readers: { from: number; reader: ReturnType<Ground['reader']> }[] = [];
        const join = (at: number, slowMs: number) => {
          const from = ground.events[Math.floor(at * ground.events.length)]?.place ?? 0;
          const reader = ground.reader(() => (slowMs === 0 ? true : later(slowMs)));
          readers.push({ from, reader });
          ground.feeds.subscribe('x', from, reader);
        };
        join(0, 0);
        let isOver = false;
        for (const one of steps) {
          if (one.kind === 'append' && !isOver) ground.append(one.count, one);
          if (one.kind === 'join') join(one.at, one.slowMs);
          if (one.kind === 'pass') await pass(one.ms);
          if (one.kind === 'connected') ground.state.connected = one.is;
          if (one.kind === 'end' && !isOver) {
            isOver = true;
            endOf(ground, attached);
          }
        }
        if (!isOver) endOf(ground, attached);
        // The database answers again, sooner or later: 30 steps of 60 events of 30 KB at 3 s for each 64 KB.
        ground.failWhen(() => false);
        for (let turn = 0; turn < 100 && readers.some(({ reader }) => reader.ends.length === 0); turn += 1)
          await pass(60_000);
        for (const { from, reader } of readers) {
          const expected = ground.events.flatMap(({ place }) => (place > from ? [place] : []));
          expect(reader.places).toEqual(expected);
          expect(reader.ends).toEqual(['execution_completed']);
        }
        expect([ground.feeds.count(), ground.listening(), jest.getTimerCount()]).toEqual([0, 0, 0]);
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('that is not ready is told that it is too slow, and gets nothing more; others do', async () => {
    const ground = feedGround();
    ground.append(3);
    const [slow, other] = [ground.reader(() => false), ground.reader()];
    ground.feeds.subscribe('x', 0, slow);
    ground.feeds.subscribe('x', 0, other);
    await pass(20);
    ground.append(2);
    await pass(20);
    expect([slow.places, slow.ends]).toEqual([[1, 2, 3], ['slow_consumer']]);
    expect([other.places, other.ends, ground.feeds.count()]).toEqual([[1, 2, 3, 4, 5], [], 1]);
  });

  it('gets 64 KiB at a time, and is asked in between', async () => {
    const ground = feedGround();
    ground.append(100, { length: 5_000 });
    ground.append(1, { length: 200_000 });
    let answers = 4;
    const reader = ground.reader(() => --answers > 0);
    ground.feeds.subscribe('x', 0, reader);
    await pass(20);
    expect([reader.sizes.length, reader.ends]).toEqual([4, ['slow_consumer']]);
    const rest = ground.reader();
    ground.feeds.subscribe('x', reader.places.at(-1) ?? 0, rest);
    await pass(20);
    expect([...reader.places, ...rest.places]).toEqual(placesFrom(1, 101));
    for (const size of [...reader.sizes, ...rest.sizes.slice(0, -1)]) expect(size).toBeLessThanOrEqual(65_600);
    expect(rest.sizes.at(-1)).toBeGreaterThan(200_000);
  });

  it('that leaves gets nothing more, and costs nothing', async () => {
    const ground = feedGround();
    ground.append(1);
    const reader = ground.reader();
    const leave = ground.feeds.subscribe('x', 0, reader);
    await pass(20);
    leave();
    ground.append(1);
    await pass(60_000);
    expect([reader.places, reader.ends]).toEqual([[1], []]);
    expect([ground.feeds.count(), ground.listening(), jest.getTimerCount()]).toEqual([0, 0, 0]);
  });

  it('sees the end of an execution that is not there', async () => {
    const ground = feedGround();
    ground.state.end = undefined;
    const reader = ground.reader();
    ground.feeds.subscribe('x', 0, reader);
    await pass(20);
    expect(reader.ends).toEqual(['execution_completed']);
  });

  it('is told that the server stops, also when it comes late', async () => {
    const ground = feedGround();
    const [early, late] = [ground.reader(), ground.reader()];
    ground.feeds.subscribe('x', 0, early);
    await pass(20);
    ground.feeds.close();
    ground.feeds.subscribe('x', 0, late);
    expect([early.ends, late.ends, ground.feeds.count()]).toEqual([['server_stopping'], ['server_stopping'], 0]);
    ground.append(1);
    await pass(10_000);
    expect([early.places, ground.listening(), jest.getTimerCount()]).toEqual([[], 0, 0]);
  });
});

describe('what is kept in memory of an execution', () => {
  /** How far back a new subscriber is served without asking the database. */
  const reach = async (ground: Ground): Promise<number> => {
    const last = ground.events.length;
    for (let back = 1; back <= last; back += 1) {
      ground.asked.length = 0;
      const leave = ground.feeds.subscribe('x', last - back, ground.reader());
      await pass(0);
      leave();
      if (ground.asked.length > 0) return back - 1;
    }
    return last;
  };

  it.each([
    ['chunks', keptChunks + 100, 1, keptChunks],
    // 30,000 characters and what surrounds them.
    ['bytes', 100, 30_000, Math.floor(keptBytes / 30_081)],
    ['bytes of lines that are longer than all that is kept', 3, keptBytes, 0],
  ])('are so many %s at most', async (_, count, length, most) => {
    const ground = feedGround();
    const reader = ground.reader();
    ground.feeds.subscribe('x', 0, reader);
    await pass(20);
    for (let n = 0; n < count; n += 1) {
      ground.append(1, { length });
      await pass(20);
    }
    expect(reader.places).toEqual(placesFrom(1, count));
    expect(await reach(ground)).toBe(most);
  });

  it('is of use again to who came from the middle of a chunk', async () => {
    const ground = feedGround();
    ground.feeds.subscribe('x', 0, ground.reader());
    await pass(20);
    ground.append(10);
    await pass(20);
    const other = ground.reader();
    ground.feeds.subscribe('x', 4, other);
    await pass(0);
    ground.asked.length = 0;
    ground.append(3);
    await pass(20);
    expect(other.places).toEqual(placesFrom(5, 13));
    // The look at what is new, and the look whether there is more; nothing for a subscriber.
    expect(ground.asked).toEqual([10, 13]);
  });

  it('is nothing of what was there before the first came', async () => {
    const ground = feedGround();
    ground.append(100);
    ground.feeds.subscribe('x', 100, ground.reader());
    await pass(20);
    expect(await reach(ground)).toBe(0);
  });
});
