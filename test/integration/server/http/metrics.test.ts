import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';

let system: TestService;
let user: TestCaller;
let worker: TestCaller;
let manager: TestCaller;
const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };
const update = 'DATA_SPECIFICATION_UPDATE';

/** Reads the samples of `/metrics`, each with name, labels and value. */
async function scrape() {
  const answer = await system.anonymous.get('/metrics');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples: { name: string; labels: Record<string, string>; value: number }[] = [];
  for (const line of String(answer.body).split('\n')) {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text] as const);
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) });
  }
  const value = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
    )?.value;
  return { samples, value };
}

const reportCapacity = (groups: string[]) =>
  manager.post('/api/capacity/snapshots', {
    holder: 'one',
    groups: groups.map((group) => ({
      group,
      jobTypes: ['TEST'],
      pending: 1,
      inProgress: 2,
      running: 3,
      desired: 4,
      lastError: null,
    })),
  });

beforeAll(async () => {
  system = await startTestService();
  [user, worker, manager] = [await system.as(), await system.as('WORKER'), await system.as('MANAGER')];
  for (let id = 0; id < 4; id += 1) await user.post('/api/jobs', { type: 'TEST', inputPayload: { id } });
  await user.post('/api/jobs', { type: update, inputPayload: {} });
  const claimed = await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], count: 2, ...task });
  const [{ assignment }] = claimed.body.claims;
  await worker.post(`/api/jobs/assignments/${assignment.id}/result`, { status: 'SUCCEEDED' });
  await user.get('/api/jobs/2147483647');
  await user.get('/api/none');
  await manager.post('/api/capacity/lease', { holder: 'one', ttlSeconds: 60 });
  await reportCapacity(['test', 'old']);
});
afterAll(() => system.close());

describe('GET /metrics', () => {
  it('counts requests by route and status, under the pattern of the route', async () => {
    const { value, samples } = await scrape();
    const requests = (route: string, method: string, status: string) =>
      value('reefguide_http_requests_total', { route, method, status });
    expect(requests('/api/jobs', 'POST', '200')).toBe(5);
    expect(requests('/api/jobs/:id', 'GET', '404')).toBe(1);
    expect(requests('none', 'GET', '404')).toBe(1);
    expect(samples.filter(({ labels }) => labels.route?.includes('2147483647'))).toEqual([]);
  });

  it('holds a histogram of the time to answer, by route and status', async () => {
    const { value } = await scrape();
    const labels = { route: '/api/jobs', method: 'POST', status: '200' };
    expect(value('reefguide_http_request_duration_seconds_count', labels)).toBe(5);
    expect(value('reefguide_http_request_duration_seconds_bucket', { ...labels, le: '+Inf' })).toBe(5);
    expect(value('reefguide_http_request_duration_seconds_sum', labels)).toBeGreaterThan(0);
  });

  it('counts jobs by type and status', async () => {
    const { value } = await scrape();
    expect(value('reefguide_jobs', { type: 'TEST', status: 'PENDING' })).toBe(2);
    expect(value('reefguide_jobs', { type: 'TEST', status: 'IN_PROGRESS' })).toBe(1);
    expect(value('reefguide_jobs', { type: 'TEST', status: 'SUCCEEDED' })).toBe(1);
    expect(value('reefguide_jobs', { type: update, status: 'PENDING' })).toBe(1);
  });

  it('counts live executions by status, and subscribers of logs', async () => {
    await system.database.pool.query(
      `INSERT INTO "Execution" (execution_id, owned_by, command, image_id, env, secrets, status, timeout,
         created_by_request_id, modified_by_request_id, compute_platform)
       VALUES ('x', '{}', 'true', 'x', '{}', '{}', 'RUNNING', 60, '', '', 'local')`,
    );
    const { value } = await scrape();
    expect(value('reefguide_executions', { status: 'RUNNING' })).toBe(1);
    expect(value('reefguide_executions', { status: 'STARTING' })).toBe(0);
    expect(value('reefguide_log_subscribers', {})).toBe(0);
  });

  it('holds the depth of each queue and the wait of its oldest job', async () => {
    await system.database.pool.query(`UPDATE "Job" SET created_at = now() - interval '90 seconds' WHERE type = $1`, [
      update,
    ]);
    const { value } = await scrape();
    expect(value('reefguide_queue_depth', { type: 'TEST' })).toBe(2);
    expect(value('reefguide_queue_depth', { type: update })).toBe(1);
    expect(value('reefguide_queue_oldest_seconds', { type: update })).toBeCloseTo(90, -1);
  });

  it('holds the time from creation to claim', async () => {
    const { value } = await scrape();
    expect(value('reefguide_job_claim_latency_seconds_count', { type: 'TEST' })).toBe(2);
    expect(value('reefguide_job_claim_latency_seconds_bucket', { type: 'TEST', le: '+Inf' })).toBe(2);
  });

  it('holds the time from creation to assignment for the poll-and-assign protocol too', async () => {
    const { jobId } = (
      await user.post('/api/jobs', { type: 'REGIONAL_ASSESSMENT', inputPayload: { region: 'a', reef_type: 'b' } })
    ).body;
    expect((await worker.post('/api/jobs/assign', { jobId, ...task })).status).toBe(200);
    expect((await scrape()).value('reefguide_job_claim_latency_seconds_count', { type: 'REGIONAL_ASSESSMENT' })).toBe(
      1,
    );
  });

  it('counts workers by group and state, and desired and existing workers', async () => {
    const { value } = await scrape();
    expect(value('reefguide_workers', { group: 'test', state: 'busy' })).toBe(2);
    expect(value('reefguide_workers', { group: 'test', state: 'idle' })).toBe(1);
    expect(value('reefguide_capacity_desired', { group: 'test' })).toBe(4);
    expect(value('reefguide_capacity_actual', { group: 'test' })).toBe(3);
  });

  it('forgets a group that the manager no longer reports', async () => {
    await reportCapacity(['test']);
    const { samples } = await scrape();
    expect(samples.filter(({ labels }) => labels.group === 'old')).toEqual([]);
    expect(samples.filter(({ labels }) => labels.group === 'test')).toHaveLength(4);
  });

  it('counts the connections of the pool and the waiting claims', async () => {
    const { value } = await scrape();
    expect(value('reefguide_database_connections', { state: 'total' })).toBeGreaterThan(0);
    expect(value('reefguide_database_connections', { state: 'waiting' })).toBe(0);
    expect(value('reefguide_claims_waiting')).toBe(0);
  });

  it('holds the figures of the process', async () => {
    const { value } = await scrape();
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(value('nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
  });

  it('describes each metric', async () => {
    const text = String((await system.anonymous.get('/metrics')).body);
    for (const [, name] of text.matchAll(/^# TYPE (reefguide_\w+)/gm)) expect(text).toContain(`# HELP ${name} `);
  });
});
