// Tests a database that goes away and comes back: requests are answered 503 meanwhile, and everything recovers by itself.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  claim,
  count,
  countWaitingClaims,
  newTask,
  payload,
  readJobStatus,
  regional,
  regionalResult,
  report,
  sql,
  submit,
} from '../../support/jobs.js';
import { type Answer, startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

let proxy: TcpProxy;
/** Reaches the database directly. */
let direct: TestService;
/** Reaches the database through the proxy. */
let system: TestService;
let user: TestCaller;
let worker: TestCaller;
let manager: TestCaller;
let admin: TestCaller;
let apiKey: string;
let directUser: TestCaller;
let directWorker: TestCaller;

beforeAll(async () => {
  const { hostname, port } = new URL(process.env.TEST_DATABASE_URL ?? '');
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  direct = await startTestService();
  system = await startTestService({
    beside: direct,
    databaseUrl(url) {
      const through = new URL(url);
      through.hostname = proxy.host;
      through.port = String(proxy.port);
      return through.href;
    },
  });
  user = await system.as();
  worker = await system.as('WORKER');
  manager = await system.as('MANAGER');
  admin = await system.as('ADMIN');
  apiKey = await system.apiKey(user.userId);
  directUser = await direct.as();
  directWorker = await direct.as('WORKER');
});
beforeEach(() => sql(direct, 'DELETE FROM "Job"'));
afterEach(async () => {
  await proxy.allow();
  await waitForRecovery();
});
afterAll(async () => {
  await system?.close();
  await direct?.close();
  await proxy?.close();
});

/** Waits until the service is ready and receives notifications of the other process. */
async function waitForRecovery() {
  await until(async () => (await system.anonymous.get('/api/ready')).status === 200);
  await until(async () => (await count(direct, `pg_stat_activity WHERE application_name = 'reefguide listener'`)) > 1);
}
const withKey = (path: string) => system.fetch(path, { headers: { 'x-api-key': apiKey } });
const submission = (n: number) => ({ type: regional, inputPayload: payload(n) });

describe('service without a database', () => {
  const account = { email: 'someone@example.org', password: 'long enough' };
  const requests: Record<string, () => Promise<Answer>> = {
    'a login': () => system.anonymous.post('/api/auth/login', account),
    'a registration': () => system.anonymous.post('/api/auth/register', account),
    'a refresh': () => system.anonymous.post('/api/auth/token', { refreshToken: 'rt_x' }),
    'a profile': () => user.get('/api/auth/profile'),
    'an API key': () => withKey('/api/jobs'),
    'a wrong API key': () => system.fetch('/api/jobs', { headers: { 'x-api-key': 'rg_wrong' } }),
    'a submission': () => user.post('/api/jobs', submission(1)),
    'a batch': () => user.post('/api/jobs/batch', { jobs: [submission(1)] }),
    'the list of jobs': () => user.get('/api/jobs'),
    'the list of requests': () => user.get('/api/jobs/requests'),
    'a job': () => user.get('/api/jobs/1'),
    'the events of a job': () => user.get('/api/jobs/1/events'),
    'a download': () => user.get('/api/jobs/1/download'),
    'a cancellation': () => user.post('/api/jobs/1/cancel'),
    'a poll': () => worker.get('/api/jobs/poll'),
    'a claim': () => worker.post('/api/jobs/claim', { jobTypes: [regional], ...newTask() }),
    'a long claim': () => worker.post('/api/jobs/claim', { jobTypes: [regional], ...newTask(), wait: 5 }),
    'an assignment': () => worker.post('/api/jobs/assign', { jobId: 1, ...newTask() }),
    'a heartbeat': () => worker.post('/api/jobs/assignments/1/heartbeat', {}),
    'a result': () => report(worker, 1),
    'a batch of results': () =>
      worker.post('/api/jobs/results', { results: [{ assignmentId: 1, status: 'SUCCEEDED', resultPayload: {} }] }),
    'a release': () => worker.post('/api/jobs/assignments/1/release', {}),
    'the demand': () => manager.get('/api/jobs/demand'),
    'the lease': () => manager.post('/api/capacity/lease', { holder: 'a', ttlSeconds: 5 }),
    'the state of capacity': () => manager.get('/api/capacity/status'),
    'an invalidation': () => admin.post('/api/jobs/cache/invalidate', { type: regional }),
    polygons: () => user.get('/api/polygons'),
    notes: () => user.get('/api/notes'),
    users: () => admin.get('/api/users'),
    'the audit log': () => admin.get('/api/users/utils/log'),
  };

  it('answers 503 with a Retry-After header to every request that needs the database', async () => {
    await proxy.refuse();
    for (const round of ['just cut', 'refused']) {
      const names = Object.keys(requests);
      const answers = await Promise.all(names.map((name) => requests[name]?.()));
      const statuses = Object.fromEntries(names.map((name, n) => [name, answers[n]?.status]));
      expect({ round, statuses }).toEqual({ round, statuses: Object.fromEntries(names.map((name) => [name, 503])) });
      expect(answers[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
    }
  });

  it('is healthy but not ready, and answers requests that need no database', async () => {
    await proxy.refuse();
    expect((await system.anonymous.get('/api/health')).status).toBe(200);
    expect((await system.anonymous.get('/api/ready')).status).toBe(503);
    expect((await system.anonymous.get('/api/.well-known/jwks.json')).status).toBe(200);
    expect((await system.anonymous.get('/metrics')).status).toBe(200);
    expect((await user.get('/api/jobs/types')).status).toBe(200);
    expect((await system.anonymous.get('/api/jobs')).status).toBe(401);
  });

  it('answers 500 to an event, so that AWS sends the event again', async () => {
    await proxy.refuse();
    const event = {
      'detail-type': 'ECS Task State Change',
      detail: { taskArn: 'arn:aws:ecs:test:0:task/c/1', lastStatus: 'STOPPED' },
    };
    const answer = await fetch(`${system.processorUrl}/process`, { method: 'POST', body: JSON.stringify(event) });
    expect(answer.status).toBe(500);
  });
});

describe('service after the database came back', () => {
  it('continues each job where it was', async () => {
    const { jobId: waiting } = await submit(user, payload('waiting'), { priority: -1 });
    const { jobId: running } = await submit(user, payload('running'));
    const [claimed] = await claim(worker);
    await proxy.refuse();
    expect((await report(worker, claimed?.assignment.id ?? 0)).status).toBe(503);
    await proxy.allow();
    await waitForRecovery();
    expect((await report(worker, claimed?.assignment.id ?? 0)).status).toBe(200);
    expect(await claim(worker)).toMatchObject([{ job: { id: waiting } }]);
    expect(await readJobStatus(direct, running)).toBe('SUCCEEDED');
    expect((await withKey('/api/jobs')).status).toBe(200);
  });

  it('answers a claim that waited meanwhile with the job that was created meanwhile', async () => {
    const waiting = worker.post('/api/jobs/claim', { jobTypes: [regional], ...newTask(), wait: 20 });
    await until(async () => (await countWaitingClaims(system)) === 1);
    await proxy.refuse();
    const { jobId } = await submit(directUser, payload('meanwhile'));
    await proxy.allow();
    const { status, body } = await waiting;
    // The claim may have polled while the database was away: then the answer is 503, and the worker claims again.
    const claims = status === 200 ? body.claims : await until(() => claim(worker).catch(() => undefined));
    expect(claims).toMatchObject([{ job: { id: jobId, attempts: 1 } }]);
  });

  it.each(['cut by the network', 'ended by the database'])(
    'receives notifications of both processes again after connections were %s',
    async (how) => {
      if (how === 'cut by the network') await proxy.refuse();
      else await direct.testDatabase.cutConnections();
      await proxy.allow();
      await waitForRecovery();
      for (const [submitter, claimer, service] of [
        [directUser, worker, system],
        [user, directWorker, direct],
      ] as const) {
        const waiting = claim(claimer, { wait: 20 });
        await until(async () => (await countWaitingClaims(service)) === 1);
        const began = performance.now();
        const { jobId } = await submit(submitter, payload(`${how} ${submitter.userId}`));
        expect(await waiting).toMatchObject([{ job: { id: jobId } }]);
        expect(performance.now() - began).toBeLessThan(1_000);
      }
    },
  );

  it('opens event streams again, and shows changes of the other process', async () => {
    const { jobId } = await submit(user, payload('watched'));
    const open = () => fetch(`${system.url}/api/jobs/${jobId}/events`, { headers: { 'x-api-key': apiKey } });
    const before = await open();
    await proxy.refuse();
    // The first stream may end or continue, depending on whether it polled meanwhile.
    const broken = before.text().catch(() => 'cut off');
    expect((await open()).status).toBe(503);
    await proxy.allow();
    await waitForRecovery();
    const after = await open();
    const text = after.text();
    const [claimed] = await claim(directWorker);
    await report(directWorker, claimed?.assignment.id ?? 0);
    expect(await text).toMatch(/PENDING.*SUCCEEDED/s);
    await broken;
  });

  it('creates each job once when connections are cut during 200 submissions', async () => {
    const answers: Answer[] = [];
    const submissions = Array.from({ length: 20 }, async (_, batch) => {
      for (let n = 0; n < 10; n += 1) answers.push(await user.post('/api/jobs', submission(10 * batch + n)));
    });
    for (const answered of [0, 20, 50, 90, 140]) {
      await until(() => answers.length >= answered && proxy.connections() > 0, { everyMs: 1 });
      proxy.cut();
    }
    await Promise.all(submissions);
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 503]);
    const created = answers.flatMap(({ status, body }) => (status === 200 ? [body.jobId] : []));
    expect(await count(direct, '"Job" WHERE id = ANY($1)', [created])).toBe(created.length);
    // A second submission finds the job that was created although the answer was 503.
    await waitForRecovery();
    await Promise.all(Array.from({ length: 200 }, (_, n) => submit(user, payload(n))));
    expect(await count(direct, '"Job"')).toBe(200);
  });

  it('stores each result once when connections are cut during 100 reports', async () => {
    await user.post('/api/jobs/batch', { jobs: Array.from({ length: 100 }, (_, n) => submission(n)) });
    const claims = await claim(worker, { count: 100 });
    const reporting = claims.map(async ({ assignment }) => {
      const answer = await until(async () => {
        const { status } = await report(worker, assignment.id, 'SUCCEEDED', regionalResult);
        return status === 503 ? undefined : status;
      });
      return answer;
    });
    for (let n = 0; n < 5; n += 1) {
      proxy.cut();
      await until(() => proxy.connections() > 0, { everyMs: 1 });
    }
    const statuses = new Set(await Promise.all(reporting));
    expect([...statuses].filter((status) => status !== 200 && status !== 409)).toEqual([]);
    expect(await count(direct, `"Job" WHERE status = 'SUCCEEDED'`)).toBe(100);
    expect(await count(direct, '"JobResult"')).toBe(100);
  });
});
