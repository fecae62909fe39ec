// Long polls, over two API processes on one database.
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  claim,
  countWaitingClaims,
  newTask,
  payload,
  readJobStatus,
  readMetric,
  regional,
  report,
  sql,
  submit,
  submitAndClaim,
} from '../../support/jobs.js';
import { type Caller, startTestService, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';

let first: TestService;
let second: TestService;
let users: [Caller, Caller];
let workers: [Caller, Caller];
let managers: [Caller, Caller];

beforeAll(async () => {
  first = await startTestService();
  second = await startTestService({ beside: first });
  users = [await first.as(), await second.as()];
  workers = [await first.as('WORKER'), await second.as('WORKER')];
  managers = [await first.as('MANAGER'), await second.as('MANAGER')];
});
beforeEach(() => sql(first, 'DELETE FROM "Job"'));
afterAll(async () => {
  await second?.close();
  await first?.close();
});

const untilWaiting = (system: TestService, claims: number) =>
  until(async () => (await countWaitingClaims(system)) === claims, { what: `${claims} waiting claims` });

/** What a promise gave, and how long it took from now. */
async function timed<T>(promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const began = performance.now();
  const value = await promise;
  return { value, ms: performance.now() - began };
}

describe('a claim that waits', () => {
  it('is answered within a second by a job made at another API process', async () => {
    const waiting = claim(workers[1], { wait: 20 });
    await untilWaiting(second, 1);
    const answered = timed(waiting);
    const { jobId } = await submit(users[0], payload('elsewhere'));
    const { value, ms } = await answered;
    expect(value).toMatchObject([{ job: { id: jobId } }]);
    expect(ms).toBeLessThan(1_000);
  });

  it('is not answered by a job of another type', async () => {
    const waiting = claim(workers[0], { wait: 20 });
    await untilWaiting(first, 1);
    const { jobId: other } = await submit(users[0], { id: 1 }, { type: 'TEST' });
    const { jobId } = await submit(users[0], payload('mine'));
    expect(await waiting).toMatchObject([{ job: { id: jobId } }]);
    expect(await readJobStatus(first, other)).toBe('PENDING');
  });

  it('ends with nothing when its time is over', async () => {
    const { value, ms } = await timed(claim(workers[0], { wait: 0.3 }));
    expect(value).toEqual([]);
    expect(ms).toBeGreaterThan(290);
    expect(await countWaitingClaims(first)).toBe(0);
  });

  it('with 50 of them, over two API processes, and 10 jobs: exactly 10 get one', async () => {
    const claims = Array.from({ length: 50 }, (_, n) => claim(workers[n % 2] ?? workers[0], { wait: 2 }));
    await untilWaiting(first, 25);
    await untilWaiting(second, 25);
    await Promise.all(Array.from({ length: 10 }, (_, n) => submit(users[n % 2] ?? users[0], payload(n))));
    const got = (await Promise.all(claims)).filter((some) => some.length > 0);
    expect(got).toHaveLength(10);
    expect(new Set(got.flat().map(({ job }) => job.id)).size).toBe(10);
  });
});

describe('a worker that hangs up', () => {
  /** A waiting claim on a connection of its own, and the way to hang up. */
  function waitAndHangUp(headers: Record<string, string>) {
    const body = JSON.stringify({ jobTypes: [regional], ...newTask(), wait: 20 });
    const sent = request(`${first.url}/api/jobs/claim`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
    });
    sent.on('error', () => {});
    sent.end(body);
    return () => sent.destroy();
  }
  const hungUp = () =>
    readMetric(first, 'reefguide_http_requests_total{method="POST",route="/api/jobs/claim",status="499"}');

  it('while it waits loses no job', async () => {
    const hangUps = Array.from({ length: 10 }, () => waitAndHangUp({ authorization: `Bearer ${workers[0].token}` }));
    await untilWaiting(first, 10);
    for (const hangUp of hangUps) hangUp();
    await untilWaiting(first, 0);
    const { jobId } = await submit(users[0], payload('kept'));
    expect(await claim(workers[1])).toMatchObject([{ job: { id: jobId, attempts: 1 } }]);
  });

  it('at the instant of the job loses none: it is somebody’s, or waits', async () => {
    for (let round = 0; round < 20; round += 1) {
      const hangUp = waitAndHangUp({ authorization: `Bearer ${workers[0].token}` });
      await untilWaiting(first, 1);
      const submitted = submit(users[0], payload(round));
      hangUp();
      const { jobId } = await submitted;
      // Whoever waits gets it, as soon as the one that hung up was seen to have gone.
      expect(await claim(workers[1], { wait: 5 })).toMatchObject([{ job: { id: jobId } }]);
    }
  });

  it('while it is asked who it is waits no longer, and gets no job', async () => {
    const before = await hungUp();
    const key = await first.apiKey(workers[0].userId);
    const lock = await first.database.pool.connect();
    try {
      await lock.query('BEGIN; LOCK TABLE "ApiKey"');
      const hangUp = waitAndHangUp({ 'x-api-key': key });
      await until(async () => (await lock.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount);
      hangUp();
      await until(async () => (await hungUp()) > before);
    } finally {
      await lock.query('COMMIT');
      lock.release();
    }
    const { jobId } = await submit(users[0], payload('not for it'));
    expect(await claim(workers[1], { wait: 5 })).toMatchObject([{ job: { id: jobId } }]);
    expect(await countWaitingClaims(first)).toBe(0);
  });
});

describe('a poll that waits', () => {
  it('is answered by a job made at another API process', async () => {
    const waiting = workers[1].get(`/api/jobs/poll?jobType=${regional}&wait=20`);
    const anyType = workers[1].get('/api/jobs/poll?wait=20');
    await until(() => sql(first, `SELECT FROM pg_stat_activity WHERE query LIKE '%unnest%' AND state = 'idle'`));
    const { jobId } = await submit(users[0], payload('polled'));
    expect((await waiting).body.jobs).toMatchObject([{ id: jobId }]);
    expect((await anyType).body.jobs).toMatchObject([{ id: jobId }]);
  });

  it('ends with nothing when its time is over', async () => {
    const { value, ms } = await timed(workers[0].get('/api/jobs/poll?wait=1'));
    expect(value.body).toEqual({ jobs: [] });
    expect(ms).toBeGreaterThan(990);
  });
});

describe('the demand', () => {
  const demand = async (manager: Caller, query = '') => (await manager.get(`/api/jobs/demand${query}`)).body;

  it('has the same version at every API process, and another when it differs', async () => {
    const { version: empty } = await demand(managers[0]);
    await submit(users[0], payload('one'));
    const [here, there] = await Promise.all(managers.map((manager) => demand(manager)));
    expect(there.version).toBe(here.version);
    expect(here.version).not.toBe(empty);
    expect(here.types).toMatchObject([{ type: regional, pending: 1, inProgress: 0 }]);
    const [one] = await claim(workers[0]);
    const running = await demand(managers[1]);
    expect(running.types).toMatchObject([{ type: regional, pending: 0, inProgress: 1 }]);
    expect(running.version).not.toBe(here.version);
    await report(workers[0], one?.assignment.id ?? 0);
    expect((await demand(managers[0])).version).toBe(empty);
  });

  it('is answered on a change at another API process', async () => {
    const { version } = await demand(managers[1]);
    const waiting = timed(demand(managers[1], `?wait=20&version=${version}`));
    await submit(users[0], payload('one'));
    const { value, ms } = await waiting;
    expect(value.types).toMatchObject([{ type: regional, pending: 1 }]);
    expect(ms).toBeLessThan(1_500);
  });

  it('is not answered before it changes: what leaves the counts as they are is no change', async () => {
    const { assignment } = await submitAndClaim(users[0], workers[0], payload('one'));
    const { version } = await demand(managers[0]);
    const waiting = timed(demand(managers[0], `?wait=1&version=${version}`));
    await workers[1].post(`/api/jobs/assignments/${assignment.id}/heartbeat`, {
      progress: { fraction: 0.5, message: '' },
    });
    const { value, ms } = await waiting;
    expect(value.version).toBe(version);
    expect(ms).toBeGreaterThan(990);
  });

  it('of another version than the present one is answered at once', async () => {
    const { ms } = await timed(demand(managers[0], '?wait=20&version=other'));
    expect(ms).toBeLessThan(1_000);
  });
});

describe('a service that drains', () => {
  it('answers all that wait at once: claims with an empty list, polls and demand', async () => {
    const leaving = await startTestService({ beside: first });
    const worker = await leaving.as('WORKER');
    const manager = await leaving.as('MANAGER');
    const { version } = (await manager.get('/api/jobs/demand')).body;
    const claims = Array.from({ length: 5 }, () => claim(worker, { wait: 20 }));
    const poll = worker.get('/api/jobs/poll?wait=20');
    const demand = manager.get(`/api/jobs/demand?wait=20&version=${version}`);
    await untilWaiting(leaving, 5);
    const closed = timed(leaving.close());
    expect(await Promise.all(claims)).toEqual([[], [], [], [], []]);
    expect((await poll).body).toEqual({ jobs: [] });
    expect((await demand).body.version).toBe(version);
    expect((await closed).ms).toBeLessThan(3_000);
    const { jobId } = await submit(users[0], payload('after'));
    expect(await claim(workers[0])).toMatchObject([{ job: { id: jobId } }]);
  });
});
