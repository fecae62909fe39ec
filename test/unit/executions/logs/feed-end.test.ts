// Runs on a fake clock.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createFeedFixture, pass, positions, roomAfter } from '../../../support/feed-fixture.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('LogFeeds while the database is away', () => {
  it('sends a slow subscriber of an ended execution the rest afterwards', async () => {
    const fixture = createFeedFixture({ pageSize: 10 });
    fixture.append(40, { length: 10 });
    const slow = fixture.createReader(() => roomAfter(200));
    fixture.feeds.subscribe('x', 0, slow);
    await pass(20);
    fixture.end();
    await pass(20);
    fixture.failWhen(() => true);
    await pass(5_000);
    expect([slow.positions.length < 40, slow.ends, fixture.errors.length > 0]).toEqual([true, [], true]);
    fixture.failWhen(() => false);
    await pass(5_000);
    expect([slow.positions, slow.ends]).toEqual([positions(1, 40), ['execution_completed']]);
  });

  it('serves a subscriber that joins an ended execution while another still reads', async () => {
    const fixture = createFeedFixture({ pageSize: 10 });
    fixture.append(40, { length: 10 });
    const slow = fixture.createReader(() => roomAfter(60_000));
    fixture.feeds.subscribe('x', 0, slow);
    fixture.end();
    await pass(20);
    fixture.failWhen(() => true);
    const joined = fixture.createReader();
    fixture.feeds.subscribe('x', 0, joined);
    await pass(100);
    fixture.failWhen(() => false);
    await pass(2_000);
    expect([joined.positions, joined.ends]).toEqual([positions(1, 40), ['execution_completed']]);
  });

  it('does not read deleted events again and again', async () => {
    const fixture = createFeedFixture();
    fixture.append(5);
    const reader = fixture.createReader(() => roomAfter(100));
    fixture.feeds.subscribe('x', 0, reader);
    await pass(20);
    fixture.events.length = 0;
    const late = fixture.createReader();
    fixture.feeds.subscribe('x', 2, late);
    await pass(1_000);
    expect(fixture.reads.length).toBeLessThan(10);
    fixture.end();
    await pass(1_000);
    expect(late.ends).toEqual(['execution_completed']);
  });
});

describe('LogFeeds at the end of an execution', () => {
  it('disconnects subscribers of an attached command at once', async () => {
    const fixture = createFeedFixture();
    const reader = fixture.createReader();
    fixture.feeds.subscribe('x', 0, reader);
    await pass(20);
    fixture.append(1);
    fixture.end();
    await pass(20);
    expect([reader.positions, reader.ends]).toEqual([[1], ['execution_completed']]);
  });

  it('waits 3 s for lines that a provider delivers late', async () => {
    const fixture = createFeedFixture();
    const reader = fixture.createReader();
    fixture.feeds.subscribe('x', 0, reader);
    await pass(20);
    fixture.end({ isAttached: false });
    await pass(2_900);
    expect(reader.ends).toEqual([]);
    fixture.append(2, { notifies: false });
    await pass(200);
    expect([reader.positions, reader.ends]).toEqual([[1, 2], ['execution_completed']]);
  });

  it.each([
    ['5 s when the notification is lost', true, 5_000],
    ['half a second while no notifications arrive', false, 500],
  ])('sees the end within %s', async (_, connected, maxMs) => {
    const fixture = createFeedFixture();
    fixture.state.connected = connected;
    const reader = fixture.createReader();
    fixture.feeds.subscribe('x', 0, reader);
    await pass(20);
    fixture.append(1, { notifies: false });
    fixture.state.end = { hasEnded: true, isAttached: true, at: performance.now() };
    await pass(maxMs);
    expect([reader.positions, reader.ends]).toEqual([[1], ['execution_completed']]);
  });

  it('serves a subscriber that joins between two notifications of the end', async () => {
    const fixture = createFeedFixture({ pageSize: 10 });
    fixture.append(40);
    const slow = fixture.createReader(() => roomAfter(60_000));
    fixture.feeds.subscribe('x', 0, slow);
    await pass(20);
    fixture.end();
    await pass(0);
    // Arrives while the feed reads because of the first.
    fixture.notify();
    await pass(20);
    const joined = fixture.createReader();
    fixture.feeds.subscribe('x', 0, joined);
    await pass(100);
    expect([joined.positions, joined.ends]).toEqual([positions(1, 40), ['execution_completed']]);
  });
});

describe('LogFeeds of a busy execution', () => {
  it('reads every 15 ms at most', async () => {
    const fixture = createFeedFixture();
    fixture.feeds.subscribe('x', 0, fixture.createReader());
    await pass(20);
    fixture.reads.length = 0;
    for (let n = 0; n < 150; n += 1) {
      fixture.append(1);
      await pass(1);
    }
    // A read that finds events is followed by another.
    expect(fixture.reads.length).toBeLessThanOrEqual(22);
  });
});
