import { describe, expect, it } from '@jest/globals';
import { EventQueue } from '../../../../src/capacity/simulation/event-queue.js';

describe('EventQueue', () => {
  it('runs events in order of time, then in order of scheduling', () => {
    const events = new EventQueue();
    const order: string[] = [];
    for (const [atMs, name] of [
      [20, 'c'],
      [10, 'a'],
      [20, 'd'],
      [10, 'b'],
    ] as const)
      events.schedule(atMs, () => order.push(`${name} at ${events.nowMs}`));
    events.advance(30);
    expect(order).toEqual(['a at 10', 'b at 10', 'c at 20', 'd at 20']);
    expect(events.nowMs).toBe(30);
  });

  it('stops the clock at the event after which it is done', () => {
    const events = new EventQueue();
    let count = 0;
    for (const atMs of [10, 20, 30]) events.schedule(atMs, () => (count += 1));
    events.advance(100, () => count === 2);
    expect([count, events.nowMs]).toEqual([2, 20]);
  });

  it('runs an event that an event schedules for the same time', () => {
    const events = new EventQueue();
    let isRun = false;
    events.schedule(10, () => events.schedule(10, () => (isRun = true)));
    events.advance(10);
    expect(isRun).toBe(true);
  });
});
