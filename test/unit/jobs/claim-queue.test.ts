import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { assignToWaiters, ClaimQueue } from '../../../src/jobs/claim-queue.js';
import type { ClaimedJob, ClaimSlot } from '../../../src/jobs/sql/claim.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

const claimedJob = (id: number, type: string, slot: number): ClaimedJob => {
  const time = '2026-03-01T00:00:00.000Z';
  const shared = { created_at: time, updated_at: time };
  return {
    slot,
    job: {
      ...shared,
      id,
      type,
      status: 'IN_PROGRESS',
      hash: '',
      user_id: 1,
      input_payload: {},
      priority: 0,
      attempts: 1,
      max_attempts: 1,
      cancel_requested_at: null,
      progress: null,
    },
    assignment: {
      ...shared,
      id,
      job_id: id,
      ecs_task_arn: '',
      ecs_cluster_arn: '',
      expires_at: time,
      storage_scheme: 'LOCAL',
      storage_uri: '',
      heartbeat_at: null,
      completed_at: null,
    },
  };
};

/** A claim queue over jobs in memory. `barrier` delays the answers of claims. */
function createFixture({ pollIntervalMs = 5_000 } = {}) {
  const jobs: { id: number; type: string }[] = [];
  const claims: { types: readonly string[]; workers: string[] }[] = [];
  const released: number[] = [];
  const state: { barrier: Promise<void> | undefined; failure: Error | undefined } = {
    barrier: undefined,
    failure: undefined,
  };
  const claimQueue = new ClaimQueue({
    async claim(types, slots: readonly ClaimSlot[]) {
      claims.push({ types, workers: slots.map(({ taskArn }) => taskArn) });
      const claimed: ClaimedJob[] = [];
      if (!state.failure) {
        for (const [slot, { count }] of slots.entries()) {
          for (let n = 0; n < count; n += 1) {
            const index = jobs.findIndex(({ type }) => types.includes(type));
            const [job] = index < 0 ? [] : jobs.splice(index, 1);
            if (job) claimed.push(claimedJob(job.id, job.type, slot));
          }
        }
      }
      await state.barrier;
      if (state.failure) throw state.failure;
      return claimed;
    },
    async release(claimed) {
      for (const { job } of claimed) released.push(job.id);
    },
    pollIntervalMs: () => pollIntervalMs,
    now: Date.now,
  });
  const answered: string[] = [];
  const claim = (
    worker: string,
    { types = ['A'], count = 1, waitMs = 10_000, signal = new AbortController().signal } = {},
  ) =>
    claimQueue.claim({ types, taskArn: worker, clusterArn: 'c', count, waitMs, signal }).then(
      (claimed) => {
        answered.push(worker);
        return claimed.map(({ job }) => job.id);
      },
      (error: Error) => {
        answered.push(worker);
        return error.message;
      },
    );
  const add = (...ids: number[]) => jobs.push(...ids.map((id) => ({ id, type: 'A' })));
  return { claimQueue, jobs, claims, released, state, answered, claim, add };
}

/** Lets the event loop turn, so that queued claims are served. */
const turns = async (count = 5) => {
  for (let n = 0; n < count; n += 1) await setImmediate();
};

function createBarrier() {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

describe('claim', () => {
  it('gets a waiting job at once', async () => {
    const { claim, add } = createFixture();
    add(1);
    expect(await claim('w')).toEqual([1]);
  });

  it('gets nothing at once when no job waits and the request does not wait', async () => {
    const { claim, claimQueue } = createFixture();
    expect(await claim('w', { waitMs: 0 })).toEqual([]);
    expect(claimQueue.countWaiting()).toBe(0);
  });

  it('gets up to the requested number of jobs', async () => {
    const { claim, add } = createFixture();
    add(1, 2, 3);
    expect(await claim('w', { count: 2 })).toEqual([1, 2]);
  });

  it('serves requests of the same turn by one statement, in order', async () => {
    const { claim, add, claims } = createFixture();
    add(1, 2);
    expect(await Promise.all([claim('a'), claim('b')])).toEqual([[1], [2]]);
    expect(claims.map(({ workers }) => workers)).toEqual([['a', 'b']]);
  });

  it('serves requests for more than 400 jobs by several statements', async () => {
    const { claim, claims } = createFixture();
    const workers = Array.from({ length: 5 }, (_, n) => `w${n}`);
    await Promise.all(workers.map((worker) => claim(worker, { count: 100, waitMs: 0 })));
    expect(claims.map(({ workers: served }) => served)).toEqual([workers.slice(0, 4), workers.slice(4)]);
  });

  it('serves requests for the same types in another order from the same queue', async () => {
    const { claim, add, claims } = createFixture();
    add(1, 2);
    await Promise.all([claim('a', { types: ['A', 'B'] }), claim('b', { types: ['B', 'A', 'B'] })]);
    expect(claims).toHaveLength(1);
  });

  it('takes the types in turn, so that no type starves another', async () => {
    const { claim, claims } = createFixture();
    for (let n = 0; n < 4; n += 1) await claim('w', { types: ['A', 'B'], waitMs: 0 });
    const [first, second] = claims.map(({ types }) => types[0]);
    expect(new Set([first, second])).toEqual(new Set(['A', 'B']));
  });

  it('waits and gets the job of the notification', async () => {
    const { claim, add, claimQueue } = createFixture();
    const waiting = claim('w');
    await turns();
    expect(claimQueue.countWaiting()).toBe(1);
    add(1);
    claimQueue.notify('A');
    expect(await waiting).toEqual([1]);
    expect(claimQueue.countWaiting()).toBe(0);
  });

  it('ignores the notification of a type that the request does not name', async () => {
    const { claim, claims, claimQueue, answered } = createFixture();
    void claim('w');
    await turns();
    claimQueue.notify('B');
    await turns();
    expect(claims).toHaveLength(1);
    expect(answered).toEqual([]);
  });

  it('gets a job of a notification of any type', async () => {
    const { claim, add, claimQueue } = createFixture();
    const waiting = claim('w');
    await turns();
    add(1);
    claimQueue.notify(undefined);
    expect(await waiting).toEqual([1]);
  });

  it('gets nothing when the wait time has passed', async () => {
    const { claim, claimQueue } = createFixture();
    const waiting = claim('w', { waitMs: 300 });
    await turns();
    jest.advanceTimersByTime(300);
    expect(await waiting).toEqual([]);
    expect(claimQueue.countWaiting()).toBe(0);
  });

  it('polls for jobs whose notification was lost', async () => {
    const { claim, add } = createFixture({ pollIntervalMs: 500 });
    const waiting = claim('w');
    await turns();
    add(1);
    jest.advanceTimersByTime(500);
    expect(await waiting).toEqual([1]);
  });

  it('misses no notification that arrives during its statement', async () => {
    const { claim, add, claimQueue, state } = createFixture();
    const { closed, open } = createBarrier();
    state.barrier = closed;
    const waiting = claim('w');
    await turns();
    add(1);
    claimQueue.notify('A');
    state.barrier = undefined;
    open();
    expect(await waiting).toEqual([1]);
  });

  it('rejects when its statement fails, and serves later requests', async () => {
    const { claim, add, state } = createFixture();
    state.failure = new Error('the database is unavailable');
    expect(await Promise.all([claim('a'), claim('b')])).toEqual([
      'the database is unavailable',
      'the database is unavailable',
    ]);
    state.failure = undefined;
    add(1);
    expect(await claim('c')).toEqual([1]);
  });
});

describe('notify', () => {
  it('serves waiting claims in order of arrival', async () => {
    const { claim, add, claimQueue, answered } = createFixture();
    const waiting: Promise<unknown>[] = [];
    for (const worker of ['first', 'second', 'third']) {
      waiting.push(claim(worker));
      await turns();
    }
    for (const [n] of waiting.entries()) {
      add(n);
      claimQueue.notify('A');
      await turns();
    }
    await Promise.all(waiting);
    expect(answered).toEqual(['first', 'second', 'third']);
  });

  it('serves all waiting claims when jobs wait for all, also beyond one statement', async () => {
    const { claim, add, claimQueue } = createFixture();
    const waiting = Array.from({ length: 250 }, (_, n) => claim(`w${n}`));
    await turns();
    add(...waiting.keys());
    claimQueue.notify('A');
    expect((await Promise.all(waiting)).flat()).toHaveLength(250);
  });

  it('serves at most a hundred waiting claims for a single job', async () => {
    const { claim, add, claimQueue, claims } = createFixture();
    const waiting = Array.from({ length: 250 }, (_, n) => claim(`w${n}`));
    await turns();
    claims.length = 0;
    add(1);
    claimQueue.notify('A');
    await turns();
    expect(claims.flatMap(({ workers }) => workers).length).toBeLessThanOrEqual(100);
    claimQueue.close();
    await Promise.all(waiting);
  });
});

describe('claim of a worker that hangs up', () => {
  it('leaves the queue', async () => {
    const { claim, claimQueue, add, jobs } = createFixture();
    const hangUp = new AbortController();
    const waiting = claim('w', { signal: hangUp.signal });
    await turns();
    hangUp.abort();
    expect(await waiting).toEqual([]);
    add(1);
    claimQueue.notify('A');
    await turns();
    expect(jobs).toHaveLength(1);
  });

  it('releases the job when the worker hangs up during the statement', async () => {
    const { claim, add, state, released } = createFixture();
    const { closed, open } = createBarrier();
    state.barrier = closed;
    add(1);
    const hangUp = new AbortController();
    const waiting = claim('w', { signal: hangUp.signal });
    await turns();
    hangUp.abort();
    open();
    expect(await waiting).toEqual([]);
    expect(released).toEqual([1]);
  });

  it('gets nothing when the worker hung up before the statement', async () => {
    const { claim, add, jobs, released } = createFixture();
    add(1);
    expect(await claim('w', { signal: AbortSignal.abort() })).toEqual([]);
    expect(jobs.length + released.length).toBe(1);
  });
});

describe('close', () => {
  it('answers every waiting claim with nothing', async () => {
    const { claim, claimQueue } = createFixture();
    const waiting = Promise.all([claim('a'), claim('b', { types: ['B'] })]);
    await turns();
    claimQueue.close();
    expect(await waiting).toEqual([[], []]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets later claims take waiting jobs without waiting', async () => {
    const { claim, claimQueue, add } = createFixture();
    claimQueue.close();
    add(1);
    expect(await claim('a')).toEqual([1]);
    expect(await claim('b')).toEqual([]);
  });
});

describe('assignToWaiters', () => {
  const waiter = (signal = new AbortController().signal) => ({ request: { signal } });

  it('answers each waiter with the jobs of its slot', () => {
    const [first, second, third] = [waiter(), waiter(), waiter()];
    const jobs = [claimedJob(1, 'A', 2), claimedJob(2, 'A', 0), claimedJob(3, 'A', 2)];
    expect(assignToWaiters([first, second, third], jobs)).toEqual({
      answers: [
        [first, [jobs[1]]],
        [third, [jobs[0], jobs[2]]],
      ],
      unserved: [second],
      orphaned: [],
    });
  });

  it('returns the jobs of a worker that hung up as orphaned', () => {
    const gone = waiter(AbortSignal.abort());
    const job = claimedJob(1, 'A', 0);
    expect(assignToWaiters([gone], [job])).toEqual({ answers: [[gone, []]], unserved: [], orphaned: [job] });
  });
});
