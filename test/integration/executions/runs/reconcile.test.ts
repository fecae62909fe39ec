import { get } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SetupError } from '../../../../src/contract/errors.js';
import { createFakeCommandRunner, type FakeCommandRunner } from '../../../support/command-runner.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';

let system: TestService;
let runner: FakeCommandRunner;
let operator: TestCaller;
beforeAll(async () => {
  runner = createFakeCommandRunner();
  system = await startTestService({ runner });
  await system.service.seed();
  operator = await system.as('OPERATOR');
});
afterAll(() => system.close());
beforeEach(async () => {
  await system.database.pool.query('DELETE FROM "Execution"');
});

const query = (text: string, values: unknown[] = []) => system.database.pool.query(text, values);
const reconcile = async () => {
  const { status, body } = await operator.post('/api/v1/health/reconcile');
  expect(status).toBe(200);
  return body;
};
const run = async (ageSeconds = 0) => {
  const { body } = await operator.post('/api/v1/run', { command: 'true', timeout: 60 });
  const { rows } = await query(
    `UPDATE "Execution" SET started_at = now() - make_interval(secs => $2) WHERE execution_id = $1 RETURNING task_arn`,
    [body.execution_id, ageSeconds],
  );
  return { id: body.execution_id, taskArn: rows[0].task_arn };
};
const readState = async (id: string) => (await operator.get(`/api/v1/executions/${id}/status`)).body;

describe('POST /api/v1/health/reconcile', () => {
  it('reports no issue when all is in order', async () => {
    await run();
    expect(await reconcile()).toMatchObject({
      status: 'ok',
      report: { executions: { total: 1, verified: 1 }, images: { total: 1, verified: 1 }, issues: [], error_count: 0 },
    });
  });

  it('ends an execution whose task has gone, after storing the lines of the provider', async () => {
    const { id, taskArn } = await run(600);
    runner.tasks.delete(taskArn);
    runner.logs.set(taskArn, [{ id: 'line-1', timestamp: 1, message: 'the last line' }]);
    const { report } = await reconcile();
    expect(report).toMatchObject({ executions: { total: 1, verified: 0 }, reconciled_count: 1 });
    expect(report.issues).toEqual([
      expect.objectContaining({ resource_type: 'execution', resource_id: id, action: 'repaired' }),
    ]);
    expect(await readState(id)).toMatchObject({ status: 'FAILED', exit_code: null });
    const { body } = await operator.get(`/api/v1/executions/${id}/logs`);
    expect(body.events.map(({ message }: { message: string }) => message)).toEqual([
      'the last line',
      '[reefguide] the task has gone, and nothing reported how the command ended',
    ]);
    expect((await reconcile()).status).toBe('ok');
  });

  it('leaves a recent launch alone', async () => {
    const { id, taskArn } = await run(10);
    runner.tasks.delete(taskArn);
    expect((await reconcile()).status).toBe('ok');
    expect((await readState(id)).status).toBe('STARTING');
  });

  it('stops tasks long after their timeout, and tasks that should have stopped', async () => {
    const [late, stopping] = [await run(1_000), await run()];
    await operator.delete(`/api/v1/executions/${stopping.id}`);
    runner.stopped.length = 0;
    expect((await reconcile()).report.reconciled_count).toBe(2);
    expect(runner.stopped.sort()).toEqual([late.taskArn, stopping.taskArn].sort());
  });

  it('registers a missing task definition again', async () => {
    runner.definitions.clear();
    const { report } = await reconcile();
    expect(report.issues).toEqual([
      expect.objectContaining({ resource_type: 'image', resource_id: 'ubuntu:24.04', action: 'repaired' }),
    ]);
    expect(runner.definitions.size).toBe(1);
    expect((await reconcile()).status).toBe('ok');
  });

  it('reports unreadable secrets, API keys with too many permissions, and resources without an owner', async () => {
    const gone = await system.as('DEVELOPER');
    for (const name of ['spoiled', 'fine'])
      await gone.post('/api/v1/secrets', { name, key_name: 'X', value: 'a value' });
    await query(`UPDATE "Secret" SET value = 'v1.other.AAAA.AAAA' WHERE name = 'spoiled'`);
    await query('DELETE FROM "User" WHERE id = $1', [gone.userId]);
    const viewer = await system.as('VIEWER');
    await system.apiKey(viewer.userId, 'ADMIN');
    const { report } = await reconcile();
    expect(report).toMatchObject({ secrets: { total: 2, verified: 1 }, error_count: 1, reconciled_count: 0 });
    const shown = report.issues.map((issue: { resource_type: string; resource_id: string; severity: string }) => [
      issue.resource_type,
      issue.resource_id,
      issue.severity,
    ]);
    expect(shown).toEqual([
      ['secret', 'spoiled', 'error'],
      ['user', viewer.email, 'warning'],
      ['secret', 'fine', 'warning'],
      ['secret', 'spoiled', 'warning'],
    ]);
  });

  it('runs on the hourly event, too', async () => {
    const { id, taskArn } = await run(600);
    runner.tasks.delete(taskArn);
    const answer = await fetch(`${system.processorUrl}/process`, {
      method: 'POST',
      body: JSON.stringify({ 'detail-type': 'Scheduled Event', detail: {} }),
    });
    expect(answer.status).toBe(200);
    expect((await readState(id)).status).toBe('FAILED');
  });
});

describe('POST /api/v1/health/reconcile with a provider that refuses', () => {
  const refused = async () => {
    throw new SetupError('ecs:DescribeTasks is not allowed', { hint: 'Allow it.' });
  };

  it('repairs the other executions', async () => {
    const [stuck, gone] = [await run(600), await run(600)];
    await query(`UPDATE "Execution" SET status = 'TERMINATING'`);
    runner.tasks.delete(gone.taskArn);
    const { stop } = runner;
    runner.stop = refused;
    const { report } = await reconcile();
    runner.stop = stop;
    expect(report).toMatchObject({ reconciled_count: 1, executions: { total: 2, verified: 0 } });
    expect(report.issues).toContainEqual(
      expect.objectContaining({ resource_id: stuck.id, severity: 'error', action: 'reported' }),
    );
    expect((await readState(gone.id)).status).toBe('STOPPED');
  });

  it('answers 503, and removes old rows all the same', async () => {
    await run();
    await query(`INSERT INTO "ServerLog" (time, request_id, level, message, fields)
      VALUES (now() - interval '30 days', 'old-1', 'info', 'x', '{}')`);
    const { filterExisting: existing } = runner;
    runner.filterExisting = refused;
    const answer = await operator.post('/api/v1/health/reconcile');
    await expect(system.service.processEvent({ 'detail-type': 'Scheduled Event' })).rejects.toThrow('not allowed');
    runner.filterExisting = existing;
    expect([answer.status, answer.body.error]).toEqual([503, 'ecs:DescribeTasks is not allowed. Allow it.']);
    expect((await query(`SELECT 1 FROM "ServerLog" WHERE request_id = 'old-1'`)).rows).toEqual([]);
  });
});

it('the hourly event: removes rows older than their limits alone', async () => {
  const [old, recent] = [await run(), await run()];
  for (const { id, taskArn } of [old, recent]) {
    const task = { taskArn, lastStatus: 'STOPPED', containers: [{ name: 'main' }] };
    await system.service.processEvent({ 'detail-type': 'ECS Task State Change', detail: task });
    await operator.get(`/api/v1/executions/${id}/logs`);
  }
  await query(`UPDATE "Execution" SET completed_at = now() - interval '91 days' WHERE execution_id = $1`, [old.id]);
  await query(`INSERT INTO "ServerLog" (time, request_id, level, message, fields)
    SELECT now() - make_interval(days => days), 'kept-' || days, 'info', 'x', '{}' FROM unnest(ARRAY[6, 8]) AS days`);
  await system.service.processEvent({ 'detail-type': 'Scheduled Event' });
  const readLines = async (id: string) => (await operator.get(`/api/v1/executions/${id}/logs`)).body.events.length;
  expect([await readLines(old.id), await readLines(recent.id)]).toEqual([0, 1]);
  const { rows } = await query(`SELECT request_id FROM "ServerLog" WHERE request_id LIKE 'kept-%'`);
  expect(rows).toEqual([{ request_id: 'kept-6' }]);
});

it('the deletion of an execution: deletes its log events alone', async () => {
  const [gone, there] = [await run(), await run()];
  for (const { taskArn } of [gone, there]) {
    const task = { taskArn, lastStatus: 'STOPPED', containers: [{ name: 'main' }] };
    await system.service.processEvent({ 'detail-type': 'ECS Task State Change', detail: task });
  }
  await query('DELETE FROM "Execution" WHERE execution_id = $1', [gone.id]);
  const { rows } = await query('SELECT DISTINCT execution_id FROM "LogEvent" WHERE execution_id = ANY ($1)', [
    [gone.id, there.id],
  ]);
  expect(rows).toEqual([{ execution_id: there.id }]);
});

describe('GET /api/v1/trace/:id', () => {
  it('shows lines with characters that Postgres cannot store, and the lines after them', async () => {
    const admin = await system.as('ADMIN');
    // Uses node:http, because fetch would turn backslashes into slashes.
    const request = (path: string, requestId: string) =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(system.url);
        get({ hostname, port, path, headers: { 'x-request-id': requestId } }, (response) =>
          response.resume().once('end', resolve),
        ).once('error', reject);
      });
    await request('/api/\\u0000\\ud800', 'odd-1');
    await request('/api/nothing', 'even-1');
    for (const [id, path] of [
      ['odd-1', '/api/\\u0000\\ud800'],
      ['even-1', '/api/nothing'],
    ])
      expect((await admin.get(`/api/v1/trace/${id}`)).body.logs).toEqual([
        expect.objectContaining({ message: 'request', fields: expect.objectContaining({ path }) }),
      ]);
  });

  it('shows the log lines and the resources of one request alone', async () => {
    const admin = await system.as('ADMIN');
    const post = (path: string, requestId: string, body: object) =>
      system.fetch(path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${admin.token}`,
          'content-type': 'application/json',
          'x-request-id': requestId,
        },
        body: JSON.stringify(body),
      });
    const { body } = await post('/api/v1/run', 'trace-me', { command: 'true', image: 'debian:12' });
    await post('/api/v1/run', 'not-me', { command: 'true' });
    const trace = await admin.get('/api/v1/trace/trace-me');
    expect(trace.body.related_resources).toEqual({
      executions: [expect.objectContaining({ execution_id: body.execution_id })],
      images: [expect.objectContaining({ image: 'debian:12', created_by: admin.email })],
      secrets: [],
    });
    expect(trace.body.logs).toEqual([
      expect.objectContaining({ level: 'info', message: 'execution started', fields: expect.anything() }),
      expect.objectContaining({
        message: 'request',
        fields: expect.objectContaining({ method: 'POST', path: '/api/v1/run', status: 202 }),
      }),
    ]);
    expect(JSON.stringify(trace.body)).not.toContain('not-me');
    expect((await admin.get('/api/v1/trace/nothing')).body).toEqual({
      request_id: 'nothing',
      logs: [],
      related_resources: { executions: [], images: [], secrets: [] },
    });
  });
});
