import { describe, expect, it } from '@jest/globals';
import type { StoredEvent } from '../../../../src/executions/logs/store.js';
import { chunkEvents, LogTail, maxTailBytes, maxTailChunks } from '../../../../src/executions/logs/tail.js';

const encode = (messages: readonly string[]) => Buffer.from(messages.join('\n'));
const createEvents = (count: number, length = 1): StoredEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    position: n + 1,
    event_id: `event-${n + 1}`,
    timestamp: 0,
    message: 'x'.repeat(length),
  }));
const toRanges = (chunks: readonly { after: number; last: number }[]) => chunks.map(({ after, last }) => [after, last]);

describe('chunkEvents', () => {
  it('makes one chunk of few events, with a message each', () => {
    const [chunk, ...more] = chunkEvents(createEvents(2), 0, encode);
    expect([chunk?.after, chunk?.last, more]).toEqual([0, 2, []]);
    expect(String(chunk?.bytes)).toBe(
      '{"type":"log","event_id":"event-1","timestamp":0,"message":"x"}\n{"type":"log","event_id":"event-2","timestamp":0,"message":"x"}',
    );
  });

  it('makes no chunk of no events', () => {
    expect(chunkEvents([], 7, encode)).toEqual([]);
  });

  it('begins a chunk before the event that exceeds 65,536 characters', () => {
    expect(toRanges(chunkEvents(createEvents(5, 30_000), 0, encode))).toEqual([
      [0, 2],
      [2, 4],
      [4, 5],
    ]);
  });

  it('puts a longer event into a chunk of its own', () => {
    expect(toRanges(chunkEvents(createEvents(2, 100_000), 0, encode))).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe('LogTail', () => {
  const fill = (count: number, bytes: number) => {
    const tail = new LogTail(0);
    for (let n = 0; n < count; n += 1) tail.add([{ after: n, last: n + 1, bytes: Buffer.alloc(bytes) }]);
    return tail;
  };
  /** Counts the newest chunks that the tail still has. */
  const countChunks = (tail: LogTail) => {
    let back = 0;
    while (back < tail.end && tail.readAfter(tail.end - back - 1)) back += 1;
    return back;
  };

  it.each([
    ['500 chunks', maxTailChunks + 100, 1, maxTailChunks],
    ['256 KiB', 100, 30_000, 8],
    ['nothing of chunks beyond 256 KiB', 3, maxTailBytes + 1, 0],
  ])('keeps %s at most', (_, count, bytes, max) => {
    expect(countChunks(fill(count, bytes))).toBe(max);
  });

  it('returns all chunks after a position at which a chunk begins', () => {
    expect(toRanges(fill(4, 1).readAfter(2) ?? [])).toEqual([
      [2, 3],
      [3, 4],
    ]);
  });

  it('returns nothing for a position inside of a chunk or before the tail', () => {
    const tail = new LogTail(10);
    tail.add([{ after: 10, last: 15, bytes: Buffer.alloc(1) }]);
    expect([tail.readAfter(12), tail.readAfter(9), tail.readAfter(15), tail.end]).toEqual([
      undefined,
      undefined,
      undefined,
      15,
    ]);
  });
});
