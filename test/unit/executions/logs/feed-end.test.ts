// The end of an execution, and a database that is away, as subscribers see them. On a clock of its own.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endOf, feedGround, later, pass, placesFrom } from '../../../support/feed-fixture.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a database that is away', () => {
  it('keeps a slow subscriber of an ended execution from nothing', async () => {
    const ground = feedGround({ pageSize: 10 });
    ground.append(40, { length: 10 });
    const slow = ground.reader(() => later(200));
    ground.feeds.subscribe('x', 0, slow);
    await pass(20);
    endOf(ground);
    await pass(20);
    ground.failWhen(() => true);
    await pass(5_000);
    expect([slow.places.length < 40, slow.ends, ground.errors.length > 0]).toEqual([true, [], true]);
    ground.failWhen(() => false);
    await pass(5_000);
    expect([slow.places, slow.ends]).toEqual([placesFrom(1, 40), ['execution_completed']]);
  });

  it('keeps nobody from joining an execution that has ended while another still reads', async () => {
    const ground = feedGround({ pageSize: 10 });
    ground.append(40, { length: 10 });
    ground.feeds.subscribe(
      'x',
      0,
      ground.reader(() => later(60_000)),
    );
    endOf(ground);
    await pass(20);
    ground.failWhen(() => true);
    const joined = ground.reader();
    ground.feeds.subscribe('x', 0, joined);
    await pass(100);
    ground.failWhen(() => false);
    await pass(2_000);
    expect([joined.places, joined.ends]).toEqual([placesFrom(1, 40), ['execution_completed']]);
  });

  it('is not asked again and again for what was deleted', async () => {
    const ground = feedGround();
    ground.append(5);
    const reader = ground.reader(() => later(100));
    ground.feeds.subscribe('x', 0, reader);
    await pass(20);
    ground.events.length = 0;
    const late = ground.reader();
    ground.feeds.subscribe('x', 2, late);
    await pass(1_000);
    expect(ground.asked.length).toBeLessThan(10);
    endOf(ground);
    await pass(1_000);
    expect(late.ends).toEqual(['execution_completed']);
  });
});

describe('the end of an execution', () => {
  it('is told at once where its lines come from this system', async () => {
    const ground = feedGround();
    const reader = ground.reader();
    ground.feeds.subscribe('x', 0, reader);
    await pass(20);
    ground.append(1);
    endOf(ground);
    await pass(20);
    expect([reader.places, reader.ends]).toEqual([[1], ['execution_completed']]);
  });

  it('waits 3 s for lines that a provider delivers late', async () => {
    const ground = feedGround();
    const reader = ground.reader();
    ground.feeds.subscribe('x', 0, reader);
    await pass(20);
    endOf(ground, false);
    await pass(2_900);
    expect(reader.ends).toEqual([]);
    ground.append(2, { isHeard: false });
    await pass(200);
    expect([reader.places, reader.ends]).toEqual([[1, 2], ['execution_completed']]);
  });

  it('is seen within 5 s when its notice is lost, and within half a second where none are heard', async () => {
    for (const [connected, withinMs] of [
      [true, 5_000],
      [false, 500],
    ] as const) {
      const ground = feedGround();
      ground.state.connected = connected;
      const reader = ground.reader();
      ground.feeds.subscribe('x', 0, reader);
      await pass(20);
      ground.append(1, { isHeard: false });
      ground.state.end = { ended: true, attached: true, at: performance.now() };
      await pass(withinMs);
      expect([reader.places, reader.ends]).toEqual([[1], ['execution_completed']]);
    }
  });

  it('reaches who joins while the notice of it is still being answered', async () => {
    const ground = feedGround({ pageSize: 10 });
    ground.append(40);
    ground.feeds.subscribe(
      'x',
      0,
      ground.reader(() => later(60_000)),
    );
    await pass(20);
    endOf(ground);
    // A second notice while the first is looked into.
    await pass(0);
    ground.wake();
    await pass(20);
    const joined = ground.reader();
    ground.feeds.subscribe('x', 0, joined);
    await pass(100);
    expect([joined.places, joined.ends]).toEqual([placesFrom(1, 40), ['execution_completed']]);
  });

  it('busy executions are looked at every 15 ms at most', async () => {
    const ground = feedGround();
    ground.feeds.subscribe('x', 0, ground.reader());
    await pass(20);
    ground.asked.length = 0;
    for (let n = 0; n < 150; n += 1) {
      ground.append(1);
      await pass(1);
    }
    // A look that finds something looks once more.
    expect(ground.asked.length).toBeLessThanOrEqual(22);
  });
});
