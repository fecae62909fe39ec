// Runs on a fake clock.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createFeedFixture, type FeedFixture, pass, positions, roomAfter } from '../../../support/feed-fixture.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A step of a random history of one execution and its subscribers. */
const historyStep = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    count: fc.integer({ min: 1, max: 60 }),
    // Long messages drop chunks from the tail.
    length: fc.constantFrom(1, 1_000, 30_000),
    notifies: fc.boolean(),
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

/** Plays a history to its end, and returns the readers with the positions at which they joined. */
async function playHistory(
  fixture: FeedFixture,
  steps: readonly (typeof historyStep extends fc.Arbitrary<infer Step> ? Step : never)[],
  isAttached: boolean,
) {
  const readers: { from: number; reader: ReturnType<FeedFixture['createReader']> }[] = [];
  const join = (at: number, slowMs: number) => {
    const from = fixture.events[Math.floor(at * fixture.events.length)]?.position ?? 0;
    const reader = fixture.createReader(() => (slowMs === 0 ? true : roomAfter(slowMs)));
    readers.push({ from, reader });
    fixture.feeds.subscribe('x', from, reader);
  };
  join(0, 0);
  let hasEnded = false;
  for (const step of steps) {
    if (step.kind === 'append' && !hasEnded) fixture.append(step.count, step);
    if (step.kind === 'join') join(step.at, step.slowMs);
    if (step.kind === 'pass') await pass(step.ms);
    if (step.kind === 'connected') fixture.state.connected = step.is;
    if (step.kind === 'end' && !hasEnded) {
      hasEnded = true;
      fixture.end({ isAttached });
    }
  }
  if (!hasEnded) fixture.end({ isAttached });
  return readers;
}

describe('LogFeeds', () => {
  it('sends each subscriber every event once, in order, and then the end, however slow it is and whatever fails', async () => {
    const failures = fc.infiniteStream(fc.constantFrom(false, false, false, true));
    await fc.assert(
      fc.asyncProperty(
        fc.array(historyStep, { maxLength: 30 }),
        fc.boolean(),
        failures,
        async (steps, attached, fail) => {
          const fixture = createFeedFixture({ pageSize: 25 });
          fixture.failWhen(() => fail.next().value === true);
          const readers = await playHistory(fixture, steps, attached);
          fixture.failWhen(() => false);
          // Long enough for 30 steps of 60 events of 30 KB, at 3 s for each 64 KB.
          for (let turn = 0; turn < 100 && readers.some(({ reader }) => reader.ends.length === 0); turn += 1)
            await pass(60_000);
          for (const { from, reader } of readers) {
            const expected = fixture.events.flatMap(({ position }) => (position > from ? [position] : []));
            expect(reader.positions).toEqual(expected);
            expect(reader.ends).toEqual(['execution_completed']);
          }
          expect([fixture.feeds.countSubscribers(), fixture.countSubscriptions(), jest.getTimerCount()]).toEqual([
            0, 0, 0,
          ]);
        },
      ),
      { numRuns: 150 },
    );
  }, 30_000);

  it('disconnects a subscriber without room as a slow consumer, and serves the others', async () => {
    const fixture = createFeedFixture();
    fixture.append(3);
    const [slow, other] = [fixture.createReader(() => false), fixture.createReader()];
    fixture.feeds.subscribe('x', 0, slow);
    fixture.feeds.subscribe('x', 0, other);
    await pass(20);
    fixture.append(2);
    await pass(20);
    expect([slow.positions, slow.ends]).toEqual([[1, 2, 3], ['slow_consumer']]);
    expect([other.positions, other.ends, fixture.feeds.countSubscribers()]).toEqual([[1, 2, 3, 4, 5], [], 1]);
  });

  it('sends 64 KiB at a time, and asks for room in between', async () => {
    const fixture = createFeedFixture();
    fixture.append(100, { length: 5_000 });
    fixture.append(1, { length: 200_000 });
    let answers = 4;
    const reader = fixture.createReader(() => --answers > 0);
    fixture.feeds.subscribe('x', 0, reader);
    await pass(20);
    expect([reader.sizes.length, reader.ends]).toEqual([4, ['slow_consumer']]);
    const rest = fixture.createReader();
    fixture.feeds.subscribe('x', reader.positions.at(-1) ?? 0, rest);
    await pass(20);
    expect([...reader.positions, ...rest.positions]).toEqual(positions(1, 101));
    for (const size of [...reader.sizes, ...rest.sizes.slice(0, -1)]) expect(size).toBeLessThanOrEqual(65_600);
    expect(rest.sizes.at(-1)).toBeGreaterThan(200_000);
  });

  it('sends nothing after a subscriber has left, and frees everything', async () => {
    const fixture = createFeedFixture();
    fixture.append(1);
    const reader = fixture.createReader();
    const unsubscribe = fixture.feeds.subscribe('x', 0, reader);
    await pass(20);
    unsubscribe();
    fixture.append(1);
    await pass(60_000);
    expect([reader.positions, reader.ends]).toEqual([[1], []]);
    expect([fixture.feeds.countSubscribers(), fixture.countSubscriptions(), jest.getTimerCount()]).toEqual([0, 0, 0]);
  });

  it('disconnects subscribers of an unknown execution', async () => {
    const fixture = createFeedFixture();
    fixture.state.end = undefined;
    const reader = fixture.createReader();
    fixture.feeds.subscribe('x', 0, reader);
    await pass(20);
    expect(reader.ends).toEqual(['execution_completed']);
  });

  it('disconnects present and later subscribers when closed', async () => {
    const fixture = createFeedFixture();
    const [early, late] = [fixture.createReader(), fixture.createReader()];
    fixture.feeds.subscribe('x', 0, early);
    await pass(20);
    fixture.feeds.close();
    fixture.feeds.subscribe('x', 0, late);
    const ends = [early.ends, late.ends];
    expect([ends, fixture.feeds.countSubscribers()]).toEqual([[['server_stopping'], ['server_stopping']], 0]);
    fixture.append(1);
    await pass(10_000);
    expect([early.positions, fixture.countSubscriptions(), jest.getTimerCount()]).toEqual([[], 0, 0]);
  });

  it('serves a subscriber from the middle of a chunk from the tail again', async () => {
    const fixture = createFeedFixture();
    fixture.feeds.subscribe('x', 0, fixture.createReader());
    await pass(20);
    fixture.append(10);
    await pass(20);
    const other = fixture.createReader();
    fixture.feeds.subscribe('x', 4, other);
    await pass(0);
    fixture.reads.length = 0;
    fixture.append(3);
    await pass(20);
    expect(other.positions).toEqual(positions(5, 13));
    // The feed reads new events, and reads again to find none; the subscriber reads nothing.
    expect(fixture.reads).toEqual([10, 13]);
  });

  it('reads events from before the first subscription from the database', async () => {
    const fixture = createFeedFixture();
    fixture.append(100);
    fixture.feeds.subscribe('x', 100, fixture.createReader());
    await pass(20);
    fixture.reads.length = 0;
    fixture.feeds.subscribe('x', 99, fixture.createReader());
    await pass(0);
    expect(fixture.reads).toEqual([99]);
  });
});
