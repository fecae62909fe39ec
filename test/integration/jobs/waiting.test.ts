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
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';

let first: TestService;
let second: TestService;
let users: [TestCaller, TestCaller];
let workers: [TestCaller, TestCaller];
let managers: [TestCaller, TestCaller];

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

/** Measures the milliseconds from now until the promise resolves. */
async function timed<T>(promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const began = performance.now();
  const value = await promise;
  return { value, ms: performance.now() - began };
}

describe('claim with a wait', () => {
  it('is answered within a second after a submission to another API process', async () => {
    const waiting = claim(workers[1], { wait: 20 });
    await untilWaiting(second, 1);
    const answered = timed(waiting);
    const { jobId } = await submit(users[0], payload('elsewhere'));
    const { value, ms } = await answered;
    expect(value).toMatchObject([{ job: { id: jobId } }]);
    expect(ms).toBeLessThan(1_000);
  });

  it('is not answered after a submission of another type', async () => {
    const waiting = claim(workers[0], { wait: 20 });
    await untilWaiting(first, 1);
    const { jobId: other } = await submit(users[0], { id: 1 }, { type: 'TEST' });
    const { jobId } = await submit(users[0], payload('mine'));
    expect(await waiting).toMatchObject([{ job: { id: jobId } }]);
    expect(await readJobStatus(first, other)).toBe('PENDING');
  });

  it('is answered with nothing when the wait time has passed', async () => {
    const { value, ms } = await timed(claim(workers[0], { wait: 0.3 }));
    expect(value).toEqual([]);
    expect(ms).toBeGreaterThan(290);
    expect(await countWaitingClaims(first)).toBe(0);
  });

  it('gives 10 jobs to exactly 10 of 50 waiting claims over two API processes', async () => {
    const claims = Array.from({ length: 50 }, (_, n) => claim(workers[n % 2] ?? workers[0], { wait: 2 }));
    await untilWaiting(first, 25);
    await untilWaiting(second, 25);
    await Promise.all(Array.from({ length: 10 }, (_, n) => submit(users[n % 2] ?? users[0], payload(n))));
    const answered = (await Promise.all(claims)).filter((jobs) => jobs.length > 0);
    expect(answered).toHaveLength(10);
    expect(new Set(answered.flat().map(({ job }) => job.id)).size).toBe(10);
  });
});

describe('guarantee 8: no job is lost when a worker hangs up', () => {
  /** Sends a waiting claim on a connection of its own. Returns the function that hangs up. */
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
  const countHangUps = () =>
    readMetric(first, 'reefguide_http_requests_total{method="POST",route="/api/jobs/claim",status="499"}');

  it('loses no job while the claim waits', async () => {
    const hangUps = Array.from({ length: 10 }, () => waitAndHangUp({ authorization: `Bearer ${workers[0].token}` }));
    await untilWaiting(first, 10);
    for (const hangUp of hangUps) hangUp();
    await untilWaiting(first, 0);
    const { jobId } = await submit(users[0], payload('kept'));
    expect(await claim(workers[1])).toMatchObject([{ job: { id: jobId, attempts: 1 } }]);
  });

  it('loses no job that is submitted at the same instant', async () => {
    for (let round = 0; round < 20; round += 1) {
      const hangUp = waitAndHangUp({ authorization: `Bearer ${workers[0].token}` });
      await untilWaiting(first, 1);
      const submitted = submit(users[0], payload(round));
      hangUp();
      const { jobId } = await submitted;
      // A waiting worker gets the job as soon as the server notices the hang-up.
      expect(await claim(workers[1], { wait: 5 })).toMatchObject([{ job: { id: jobId } }]);
    }
  });

  it('claims nothing when the worker hangs up during authentication', async () => {
    const before = await countHangUps();
    const key = await first.apiKey(workers[0].userId);
    const lock = await first.database.pool.connect();
    try {
      await lock.query('BEGIN; LOCK TABLE "ApiKey"');
      const hangUp = waitAndHangUp({ 'x-api-key': key });
      await until(async () => (await lock.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount);
      hangUp();
      await until(async () => (await countHangUps()) > before);
    } finally {
      await lock.query('COMMIT');
      lock.release();
    }
    const { jobId } = await submit(users[0], payload('not for it'));
    expect(await claim(workers[1], { wait: 5 })).toMatchObject([{ job: { id: jobId } }]);
    expect(await countWaitingClaims(first)).toBe(0);
  });
});

describe('poll with a wait', () => {
  it('is answered after a submission to another API process', async () => {
    const waiting = workers[1].get(`/api/jobs/poll?jobType=${regional}&wait=20`);
    const anyType = workers[1].get('/api/jobs/poll?wait=20');
    await until(() => sql(first, `SELECT FROM pg_stat_activity WHERE query LIKE '%unnest%' AND state = 'idle'`));
    const { jobId } = await submit(users[0], payload('polled'));
    expect((await waiting).body.jobs).toMatchObject([{ id: jobId }]);
    expect((await anyType).body.jobs).toMatchObject([{ id: jobId }]);
  });

  it('is answered with nothing when the wait time has passed', async () => {
    const { value, ms } = await timed(workers[0].get('/api/jobs/poll?wait=1'));
    expect(value.body).toEqual({ jobs: [] });
    expect(ms).toBeGreaterThan(990);
  });
});

describe('demand', () => {
  const demand = async (manager: TestCaller, query = '') => (await manager.get(`/api/jobs/demand${query}`)).body;

  it('has the same version at every API process, and another version after a change', async () => {
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

  it('is answered after a change at another API process', async () => {
    const { version } = await demand(managers[1]);
    const waiting = timed(demand(managers[1], `?wait=20&version=${version}`));
    await submit(users[0], payload('one'));
    const { value, ms } = await waiting;
    expect(value.types).toMatchObject([{ type: regional, pending: 1 }]);
    expect(ms).toBeLessThan(1_500);
  });

  it('is not answered after a change that keeps the counts', async () => {
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

  it('is answered at once when the version differs', async () => {
    const { ms } = await timed(demand(managers[0], '?wait=20&version=other'));
    expect(ms).toBeLessThan(1_000);
  });
});

describe('drain', () => {
  it('answers waiting claims, polls and demand at once', async () => {
    const draining = await startTestService({ beside: first });
    const worker = await draining.as('WORKER');
    const manager = await draining.as('MANAGER');
    const { version } = (await manager.get('/api/jobs/demand')).body;
    const claims = Array.from({ length: 5 }, () => claim(worker, { wait: 20 }));
    const poll = worker.get('/api/jobs/poll?wait=20');
    const demand = manager.get(`/api/jobs/demand?wait=20&version=${version}`);
    await untilWaiting(draining, 5);
    const closed = timed(draining.close());
    expect(await Promise.all(claims)).toEqual([[], [], [], [], []]);
    expect((await poll).body).toEqual({ jobs: [] });
    expect((await demand).body.version).toBe(version);
    expect((await closed).ms).toBeLessThan(3_000);
    const { jobId } = await submit(users[0], payload('after'));
    expect(await claim(workers[0])).toMatchObject([{ job: { id: jobId } }]);
  });
});
