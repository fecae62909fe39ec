import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createBatcher } from '../../../src/database/batcher.js';

/** Creates a batcher whose batches end when the test answers them. */
function manualBatcher(options: { maxWeight?: number; concurrency?: number; weigh?(call: number): number } = {}) {
  const batches: { calls: number[]; answer(answers?: number[]): void; fail(error: Error): void }[] = [];
  const call = createBatcher<number, number>({
    maxWeight: options.maxWeight ?? 100,
    concurrency: options.concurrency ?? 1,
    ...(options.weigh ? { weigh: options.weigh } : {}),
    serve: (calls) =>
      new Promise((resolve, reject) => {
        batches.push({ calls, answer: (answers = calls.map((n) => n * 10)) => resolve(answers), fail: reject });
      }),
  });
  const sizes = () => batches.map(({ calls }) => calls);
  return { call, batches, sizes };
}

describe('createBatcher', () => {
  it('serves a lone call at once', async () => {
    const { call, batches } = manualBatcher();
    const answer = call(1);
    await setImmediate();
    batches[0]?.answer();
    expect(await answer).toBe(10);
  });

  it('serves calls of one turn of the event loop together, in order', async () => {
    const { call, batches, sizes } = manualBatcher();
    const answers = Promise.all([call(1), call(2), call(3)]);
    await setImmediate();
    expect(sizes()).toEqual([[1, 2, 3]]);
    batches[0]?.answer();
    expect(await answers).toEqual([10, 20, 30]);
  });

  it('collects calls that arrive while a batch is served into the next batch', async () => {
    const { call, batches, sizes } = manualBatcher();
    const answers = [call(1)];
    await setImmediate();
    answers.push(call(2), call(3));
    await setImmediate();
    expect(sizes()).toEqual([[1]]);
    batches[0]?.answer();
    await answers[0];
    await setImmediate();
    expect(sizes()).toEqual([[1], [2, 3]]);
    batches[1]?.answer();
    expect(await Promise.all(answers)).toEqual([10, 20, 30]);
  });

  it('limits the batches in progress and the weight of a batch', async () => {
    const { call, batches, sizes } = manualBatcher({ maxWeight: 2, concurrency: 2 });
    const answers = Promise.all([1, 2, 3, 4, 5].map(call));
    await setImmediate();
    expect(sizes()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    batches[1]?.answer();
    await setImmediate();
    expect(sizes()[2]).toEqual([5]);
    batches[0]?.answer();
    batches[2]?.answer();
    expect(await answers).toEqual([10, 20, 30, 40, 50]);
  });

  it('serves a call that is heavier than the limit alone', async () => {
    const { call, sizes } = manualBatcher({ maxWeight: 5, concurrency: 3, weigh: (n) => n });
    for (const n of [2, 9, 1]) void call(n);
    await setImmediate();
    expect(sizes()).toEqual([[2], [9], [1]]);
  });

  it('fails the calls of a failed batch, and serves later calls', async () => {
    const { call, batches } = manualBatcher();
    const failing = Promise.allSettled([call(1), call(2)]);
    await setImmediate();
    batches[0]?.fail(new Error('away'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const later = call(3);
    await setImmediate();
    batches[1]?.answer();
    expect(await later).toBe(30);
  });

  it('serves the calls one by one when one call may have caused the error, and fails that call', async () => {
    const served: number[][] = [];
    const call = createBatcher<number, number>({
      maxWeight: 100,
      concurrency: 1,
      isFaultOfCall: (error) => error === 'bad call',
      async serve(calls) {
        served.push(calls);
        if (calls.includes(2)) throw 'bad call';
        return calls.map((n) => n * 10);
      },
    });
    const answers = await Promise.allSettled([1, 2, 3].map(call));
    expect(answers).toEqual([
      { status: 'fulfilled', value: 10 },
      { status: 'rejected', reason: 'bad call' },
      { status: 'fulfilled', value: 30 },
    ]);
    expect(served).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it('fails a call without an answer', async () => {
    const { call, batches } = manualBatcher();
    const [first, second] = [call(1), call(2).catch((error: Error) => error.message)];
    await setImmediate();
    batches[0]?.answer([10]);
    expect(await first).toBe(10);
    expect(await second).toMatch(/fewer/);
  });
});
