import { describe, expect, it, jest } from '@jest/globals';
import { DemandSource } from '../../../../src/capacity/manager/demand-source.js';
import { sleep } from '../../../../src/client/sleep.js';
import type { Demand, JobBody } from '../../../../src/contract/jobs.js';
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

type Request = { wait: number; version: string | undefined };

function source(server: { demand?: () => Demand; poll?: (query: object) => JobBody[] }) {
  const requests: Request[] = [];
  const polled: object[] = [];
  const demandSource = new DemandSource(
    {
      async demand(wait, version) {
        requests.push({ wait, version });
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
  return { demandSource, requests, polled };
}

describe('DemandSource', () => {
  it('requests the demand without a wait first, then waits for a change of the known version', async () => {
    const answers = [demand('one'), demand('two')];
    const { demandSource, requests } = source({ demand: () => answers.shift() ?? demand('three') });
    for (let n = 0; n < 3; n += 1) await demandSource.next(10, signal);
    expect(requests).toEqual([
      { wait: 0, version: undefined },
      { wait: 10, version: 'one' },
      { wait: 10, version: 'two' },
    ]);
  });

  it.each([0, 401, 403, 429, 500, 503])(
    'does not take a server that answers %d for a legacy server',
    async (status) => {
      const failing = { fail: true };
      const { demandSource, polled } = source({
        demand() {
          if (failing.fail) throw refusal(status);
          return demand('one');
        },
      });
      await expect(demandSource.next(0, signal)).rejects.toMatchObject({ status });
      failing.fail = false;
      expect(await demandSource.next(0, signal)).toEqual(demand('one'));
      expect(polled).toEqual([]);
    },
  );
});

describe('DemandSource on a legacy server', () => {
  it.each([404, 400])('recognises the server by the answer %d and counts its waiting jobs', async (status) => {
    const { demandSource, requests } = source({
      demand() {
        throw refusal(status);
      },
      poll: () => [job('A'), job('B'), job('A')],
    });
    expect((await demandSource.next(0, signal)).types).toEqual([
      { type: 'A', pending: 2, inProgress: 0, oldestPendingSeconds: 0 },
      { type: 'B', pending: 1, inProgress: 0, oldestPendingSeconds: 0 },
    ]);
    await demandSource.next(0, signal);
    expect(requests).toHaveLength(1);
  });

  it('polls without a limit when the server refuses the limit', async () => {
    const { demandSource, polled } = source({
      poll(query) {
        if ('limit' in query) throw refusal(400);
        return [job('A')];
      },
    });
    expect((await demandSource.next(0, signal)).types).toHaveLength(1);
    expect(polled).toEqual([{ limit: 500 }, {}]);
  });

  it('polls every interval, or sooner when the manager waits shorter', async () => {
    jest.useFakeTimers();
    try {
      const { demandSource, polled } = source({ poll: () => [] });
      await demandSource.next(10, signal);
      for (const [waitSeconds, afterMs] of [
        [10, 3000],
        [1, 1000],
      ] as const) {
        polled.length = 0;
        const next = demandSource.next(waitSeconds, signal);
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

  it('throws when the server does not answer', async () => {
    const { demandSource } = source({
      poll() {
        throw refusal(0);
      },
    });
    await expect(demandSource.next(0, signal)).rejects.toMatchObject({ status: 0 });
  });
});
