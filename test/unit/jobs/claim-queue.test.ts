import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createDispatcher } from '../../../src/jobs/claim-queue.js';
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

/** A dispatcher over a queue in memory; `gate` holds back looks at the queue. */
function system({ pollIntervalMs = 5_000 } = {}) {
  const queue: { id: number; type: string }[] = [];
  const looks: { types: readonly string[]; workers: string[] }[] = [];
  const handedBack: number[] = [];
  const state: { gate: Promise<void> | undefined; failure: Error | undefined } = {
    gate: undefined,
    failure: undefined,
  };
  const dispatcher = createDispatcher({
    async claim(types, slots: readonly ClaimSlot[]) {
      looks.push({ types, workers: slots.map(({ taskArn }) => taskArn) });
      const taken: ClaimedJob[] = [];
      if (!state.failure) {
        for (const [slot, { count }] of slots.entries()) {
          for (let n = 0; n < count; n += 1) {
            const at = queue.findIndex(({ type }) => types.includes(type));
            const [job] = at < 0 ? [] : queue.splice(at, 1);
            if (job) taken.push(claimedJob(job.id, job.type, slot));
          }
        }
      }
      await state.gate;
      if (state.failure) throw state.failure;
      return taken;
    },
    async handBack(claimed) {
      for (const { job } of claimed) handedBack.push(job.id);
    },
    pollIntervalMs: () => pollIntervalMs,
    now: Date.now,
  });
  const settled: string[] = [];
  const claim = (
    worker: string,
    { types = ['A'], count = 1, waitMs = 10_000, signal = new AbortController().signal } = {},
  ) =>
    dispatcher.claim({ types, taskArn: worker, clusterArn: 'c', count, waitMs, signal }).then(
      (claimed) => {
        settled.push(worker);
        return claimed.map(({ job }) => job.id);
      },
      (error: Error) => {
        settled.push(worker);
        return error.message;
      },
    );
  const add = (...ids: number[]) => queue.push(...ids.map((id) => ({ id, type: 'A' })));
  return { dispatcher, queue, looks, handedBack, state, settled, claim, add };
}

const turns = async (count = 5) => {
  for (let n = 0; n < count; n += 1) await setImmediate();
};

function gate() {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

describe('a claim', () => {
  it('gets a waiting job at once', async () => {
    const { claim, add } = system();
    add(1);
    expect(await claim('w')).toEqual([1]);
  });

  it('that does not wait gets nothing at once when nothing is there', async () => {
    const { claim, dispatcher } = system();
    expect(await claim('w', { waitMs: 0 })).toEqual([]);
    expect(dispatcher.waiting()).toBe(0);
  });

  it('gets up to the number it asked for', async () => {
    const { claim, add } = system();
    add(1, 2, 3);
    expect(await claim('w', { count: 2 })).toEqual([1, 2]);
  });

  it('is served together with those of the same turn, in one look, in order', async () => {
    const { claim, add, looks } = system();
    add(1, 2);
    expect(await Promise.all([claim('a'), claim('b')])).toEqual([[1], [2]]);
    expect(looks.map(({ workers }) => workers)).toEqual([['a', 'b']]);
  });

  it('with the same types in another order stands in the same line', async () => {
    const { claim, add, looks } = system();
    add(1, 2);
    await Promise.all([claim('a', { types: ['A', 'B'] }), claim('b', { types: ['B', 'A', 'B'] })]);
    expect(looks).toHaveLength(1);
  });

  it('takes its types in turn, so that none starves another', async () => {
    const { claim, looks } = system();
    for (let n = 0; n < 4; n += 1) await claim('w', { types: ['A', 'B'], waitMs: 0 });
    const firsts = looks.map(({ types }) => types[0]);
    expect(new Set([firsts[0], firsts[1]])).toEqual(new Set(['A', 'B']));
  });

  it('waits, and gets the job that wakes it', async () => {
    const { claim, add, dispatcher } = system();
    const waiting = claim('w');
    await turns();
    expect(dispatcher.waiting()).toBe(1);
    add(1);
    dispatcher.wake('A');
    expect(await waiting).toEqual([1]);
    expect(dispatcher.waiting()).toBe(0);
  });

  it('is not woken by a job of a type that it does not want', async () => {
    const { claim, looks, dispatcher, settled } = system();
    void claim('w');
    await turns();
    dispatcher.wake('B');
    await turns();
    expect(looks).toHaveLength(1);
    expect(settled).toEqual([]);
  });

  it('is woken by a wake of any type', async () => {
    const { claim, add, dispatcher } = system();
    const waiting = claim('w');
    await turns();
    add(1);
    dispatcher.wake(undefined);
    expect(await waiting).toEqual([1]);
  });

  it('ends with nothing when its time is over', async () => {
    const { claim, dispatcher } = system();
    const waiting = claim('w', { waitMs: 300 });
    await turns();
    jest.advanceTimersByTime(300);
    expect(await waiting).toEqual([]);
    expect(dispatcher.waiting()).toBe(0);
  });

  it('looks again by itself, for wakes that were lost', async () => {
    const { claim, add } = system({ pollIntervalMs: 500 });
    const waiting = claim('w');
    await turns();
    add(1);
    jest.advanceTimersByTime(500);
    expect(await waiting).toEqual([1]);
  });

  it('does not miss a wake that comes during its look', async () => {
    const { claim, add, dispatcher, state } = system();
    const { closed, open } = gate();
    state.gate = closed;
    const waiting = claim('w');
    await turns();
    add(1);
    dispatcher.wake('A');
    state.gate = undefined;
    open();
    expect(await waiting).toEqual([1]);
  });
});

describe('waiting claims', () => {
  it('are served in the order of their coming', async () => {
    const { claim, add, dispatcher, settled } = system();
    const waiting: Promise<unknown>[] = [];
    for (const worker of ['first', 'second', 'third']) {
      waiting.push(claim(worker));
      await turns();
    }
    for (const [n] of waiting.entries()) {
      add(n);
      dispatcher.wake('A');
      await turns();
    }
    await Promise.all(waiting);
    expect(settled).toEqual(['first', 'second', 'third']);
  });

  it('are all served by one wake when there is work for all, also beyond one look', async () => {
    const { claim, add, dispatcher } = system();
    const waiting = Array.from({ length: 250 }, (_, n) => claim(`w${n}`));
    await turns();
    add(...waiting.keys());
    dispatcher.wake('A');
    expect((await Promise.all(waiting)).flat()).toHaveLength(250);
  });

  it('cost at most a hundred looks by a wake that brings one job', async () => {
    const { claim, add, dispatcher, looks } = system();
    const waiting = Array.from({ length: 250 }, (_, n) => claim(`w${n}`));
    await turns();
    looks.length = 0;
    add(1);
    dispatcher.wake('A');
    await turns();
    expect(looks.flatMap(({ workers }) => workers).length).toBeLessThanOrEqual(100);
    dispatcher.close();
    await Promise.all(waiting);
  });
});

describe('a worker that hangs up', () => {
  it('leaves the line', async () => {
    const { claim, dispatcher, add, queue } = system();
    const hangUp = new AbortController();
    const waiting = claim('w', { signal: hangUp.signal });
    await turns();
    hangUp.abort();
    expect(await waiting).toEqual([]);
    add(1);
    dispatcher.wake('A');
    await turns();
    expect(queue).toHaveLength(1);
  });

  it('while it is served has its job handed back', async () => {
    const { claim, add, state, handedBack } = system();
    const { closed, open } = gate();
    state.gate = closed;
    add(1);
    const hangUp = new AbortController();
    const waiting = claim('w', { signal: hangUp.signal });
    await turns();
    hangUp.abort();
    open();
    expect(await waiting).toEqual([]);
    expect(handedBack).toEqual([1]);
  });

  it('before it was served gets nothing', async () => {
    const { claim, add, queue, handedBack } = system();
    add(1);
    expect(await claim('w', { signal: AbortSignal.abort() })).toEqual([]);
    expect(queue.length + handedBack.length).toBe(1);
  });
});

describe('a look that fails', () => {
  it('fails the claims it served, and later ones work', async () => {
    const { claim, add, state } = system();
    state.failure = new Error('the database is away');
    expect(await Promise.all([claim('a'), claim('b')])).toEqual(['the database is away', 'the database is away']);
    state.failure = undefined;
    add(1);
    expect(await claim('c')).toEqual([1]);
  });
});

describe('close', () => {
  it('answers every waiting claim with nothing', async () => {
    const { claim, dispatcher } = system();
    const waiting = Promise.all([claim('a'), claim('b', { types: ['B'] })]);
    await turns();
    dispatcher.close();
    expect(await waiting).toEqual([[], []]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets later claims take what is there, without waiting', async () => {
    const { claim, dispatcher, add } = system();
    dispatcher.close();
    add(1);
    expect(await claim('a')).toEqual([1]);
    expect(await claim('b')).toEqual([]);
  });
});
