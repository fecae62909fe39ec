import { describe, expect, it, jest } from '@jest/globals';
import { createDemandSource } from '../../../../src/capacity/manager/demand-source.js';
import type { Demand, JobBody } from '../../../../src/contract/jobs.js';
import { sleep } from '../../../../src/platform/sleep.js';
import { refusal } from './support.js';

const signal = new AbortController().signal;
const demand = (version: string): Demand => ({
  version,
  types: [{ type: 'A', pending: 1, inProgress: 2, oldestPendingSeconds: 3 }],
});
const job = (type: string): JobBody => ({
  id: 1,
  created_at: '',
  updated_at: '',
  type,
  status: 'PENDING',
  hash: '',
  user_id: 1,
  input_payload: {},
  priority: 0,
  attempts: 0,
  max_attempts: 1,
  cancel_requested_at: null,
  progress: null,
});

type Asked = { wait: number; version: string | undefined };

function source(server: { demand?: () => Demand; poll?: (query: object) => JobBody[] }) {
  const asked: Asked[] = [];
  const polled: object[] = [];
  const made = createDemandSource(
    {
      async demand(wait, version) {
        asked.push({ wait, version });
        if (!server.demand) throw refusal(404);
        return server.demand();
      },
      async poll(query) {
        polled.push(query);
        return { jobs: server.poll?.(query) ?? [] };
      },
    },
    { pollIntervalMs: 3000, sleep },
  );
  return { made, asked, polled };
}

describe('a server with demand', () => {
  it('is asked at once, then for what differs from the version known', async () => {
    const answers = [demand('one'), demand('two')];
    const { made, asked } = source({ demand: () => answers.shift() ?? demand('three') });
    for (let n = 0; n < 3; n += 1) await made.next(10, signal);
    expect(asked).toEqual([
      { wait: 0, version: undefined },
      { wait: 10, version: 'one' },
      { wait: 10, version: 'two' },
    ]);
  });

  it.each([0, 401, 403, 429, 500, 503])('that answers %d is not taken for an older one', async (status) => {
    const failing = { fail: true };
    const { made, polled } = source({
      demand() {
        if (failing.fail) throw refusal(status);
        return demand('one');
      },
    });
    await expect(made.next(0, signal)).rejects.toMatchObject({ status });
    failing.fail = false;
    expect(await made.next(0, signal)).toEqual(demand('one'));
    expect(polled).toEqual([]);
  });
});

describe('an older server, with poll alone', () => {
  it.each([404, 400])('is known by the answer %d, and its waiting jobs are counted', async (status) => {
    const { made, asked } = source({
      demand() {
        throw refusal(status);
      },
      poll: () => [job('A'), job('B'), job('A')],
    });
    expect((await made.next(0, signal)).types).toEqual([
      { type: 'A', pending: 2, inProgress: 0, oldestPendingSeconds: 0 },
      { type: 'B', pending: 1, inProgress: 0, oldestPendingSeconds: 0 },
    ]);
    await made.next(0, signal);
    expect(asked).toHaveLength(1);
  });

  it('that knows no limit is polled without one', async () => {
    const { made, polled } = source({
      poll(query) {
        if ('limit' in query) throw refusal(400);
        return [job('A')];
      },
    });
    expect((await made.next(0, signal)).types).toHaveLength(1);
    expect(polled).toEqual([{ limit: 500 }, {}]);
  });

  it('is polled every interval, or sooner when the manager wants to', async () => {
    jest.useFakeTimers();
    try {
      const { made, polled } = source({ poll: () => [] });
      await made.next(10, signal);
      for (const [waitSeconds, afterMs] of [
        [10, 3000],
        [1, 1000],
      ] as const) {
        polled.length = 0;
        const next = made.next(waitSeconds, signal);
        await jest.advanceTimersByTimeAsync(afterMs - 1);
        expect(polled).toEqual([]);
        await jest.advanceTimersByTimeAsync(1);
        await next;
        expect(polled).toHaveLength(1);
      }
    } finally {
      jest.useRealTimers();
    }
  });

  it('that does not answer is an error', async () => {
    const { made } = source({
      poll() {
        throw refusal(0);
      },
    });
    await expect(made.next(0, signal)).rejects.toMatchObject({ status: 0 });
  });
});
