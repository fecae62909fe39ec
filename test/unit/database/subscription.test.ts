import { describe, expect, it } from '@jest/globals';
import { type NotificationSource, type ReadOnChangeOptions, readOnChange } from '../../../src/database/subscription.js';

/** Notifications that a test sends by `notify`. */
function createSource() {
  const subscribers = new Set<() => void>();
  const source: NotificationSource = {
    connected: () => true,
    subscribe(_topic, onChange) {
      subscribers.add(onChange);
      return () => subscribers.delete(onChange);
    },
  };
  return { source, subscribers, notify: () => [...subscribers].forEach((onChange) => void onChange()) };
}

const options = (overrides: Partial<ReadOnChangeOptions<string>> = {}): ReadOnChangeOptions<string> => ({
  topics: ['job:17'],
  waitMs: 10_000,
  signal: new AbortController().signal,
  now: Date.now,
  ...overrides,
});

describe('readOnChange', () => {
  it('reads once when there is no time to wait', async () => {
    const values: number[] = [];
    let reads = 0;
    const changes = readOnChange(createSource().source, options({ waitMs: 0 }), async () => {
      reads += 1;
      return reads;
    });
    for await (const value of changes) values.push(value);
    expect(values).toEqual([1]);
  });

  it('reads again after a notification, also one that arrives during the read', async () => {
    const { source, notify, subscribers } = createSource();
    let reads = 0;
    const changes = readOnChange(source, options(), async () => {
      reads += 1;
      if (reads === 1) notify();
      return reads;
    });
    expect((await changes.next()).value).toBe(1);
    expect((await changes.next()).value).toBe(2);
    const third = changes.next();
    await new Promise(setImmediate);
    notify();
    expect((await third).value).toBe(3);
    await changes.return();
    expect(subscribers.size).toBe(0);
  });

  it('ends when the signal aborts, after a last read', async () => {
    const { source, subscribers } = createSource();
    const abort = new AbortController();
    const changes = readOnChange(source, options({ signal: abort.signal }), async () => 'value');
    await changes.next();
    const last = changes.next();
    abort.abort();
    expect(await last).toEqual({ value: 'value', done: false });
    expect((await changes.next()).done).toBe(true);
    expect(subscribers.size).toBe(0);
  });

  it('reads a last time when the wait time has passed', async () => {
    const values: string[] = [];
    const changes = readOnChange(createSource().source, options({ waitMs: 20 }), async () => 'value');
    for await (const value of changes) values.push(value);
    expect(values.length).toBeGreaterThanOrEqual(2);
  });
});
