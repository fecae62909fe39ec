import { describe, expect, it } from '@jest/globals';
import { PollOrder, rotate } from '../../../src/jobs/poll-order.js';

const jobs = [{ id: 1 }, { id: 2 }, { id: 3 }];
const ids = (arranged: { id: number }[]) => arranged.map(({ id }) => id);

function createOrder() {
  const clock = { ms: 1_000 };
  return { clock, order: new PollOrder(() => clock.ms) };
}

describe('PollOrder', () => {
  it('shows the strict order to a worker that polls alone', () => {
    const { order } = createOrder();
    for (let n = 0; n < 3; n += 1) expect(ids(order.arrange(jobs, 3, 'a'))).toEqual([1, 2, 3]);
  });

  it('shows workers that poll at the same instant different jobs first', () => {
    const { order } = createOrder();
    expect(['a', 'b', 'c'].map((worker) => order.arrange(jobs, 1, worker)[0]?.id)).toEqual([1, 2, 3]);
  });

  it('shows a job last, but still shows it, when another worker was offered the job first', () => {
    const { order } = createOrder();
    order.arrange(jobs, 3, 'a');
    expect(ids(order.arrange(jobs, 3, 'b'))).toEqual([2, 3, 1]);
  });

  it('shows all jobs to more workers than jobs', () => {
    const { order } = createOrder();
    for (const worker of ['a', 'b', 'c', 'd']) expect(ids(order.arrange(jobs, 3, worker)).sort()).toEqual([1, 2, 3]);
  });

  it('shows a job to other workers again after 100 ms', () => {
    const { order, clock } = createOrder();
    order.arrange(jobs, 1, 'a');
    clock.ms += 99;
    expect(ids(order.arrange(jobs, 1, 'b'))).toEqual([2]);
    clock.ms += 2;
    expect(ids(order.arrange(jobs, 1, 'c'))).toEqual([1]);
  });

  it('shows at most the limit, and nothing when no job waits', () => {
    const { order } = createOrder();
    expect(order.arrange(jobs, 2, 'a')).toHaveLength(2);
    expect(order.arrange([], 2, 'a')).toEqual([]);
  });
});

describe('rotate', () => {
  it.each([
    [0, ['A', 'B', 'C']],
    [1, ['B', 'C', 'A']],
    [2, ['C', 'A', 'B']],
  ])('begins at %d', (start, rotated) => {
    expect(rotate(['A', 'B', 'C'], start)).toEqual(rotated);
  });
});
