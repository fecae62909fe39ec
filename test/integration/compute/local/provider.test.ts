import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { endOrphanTasks } from '../../../../src/compute/local/provider.js';
import { localClusterArn } from '../../../../src/compute/local/stopped-event.js';
import { payload, readAttempts, readJobStatus, sql, submit } from '../../../support/jobs.js';
import { group, openTaskFixture, silent, type TaskFixture } from '../../../support/local-tasks.js';
import { isRunning, untilGone } from '../../../support/processes.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

let system: TestService;
let user: TestCaller;
let fixture: TaskFixture;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
});
beforeEach(async () => {
  fixture = await openTaskFixture(system);
});
afterEach(async () => {
  await fixture.close();
  await sql(system, 'DELETE FROM "Job"');
  await sql(system, 'DELETE FROM "CapacityLease"');
});
afterAll(() => system.close());

const tasksDirectory = () => path.join(fixture.directory, 'tasks');
const records = async (): Promise<{ arn: string; process: { pid: number } }[]> => {
  const files = (await readdir(tasksDirectory())).map((id) => path.join(tasksDirectory(), id, 'task.json'));
  return Promise.all(files.filter(existsSync).map(async (file) => JSON.parse(await readFile(file, 'utf8'))));
};

describe('LocalCompute', () => {
  it('gives a task an ARN and a metadata endpoint like those of ECS', async () => {
    const compute = await fixture.compute();
    await submit(user, payload('one'));
    const { started, failures } = await compute.launch({ group, count: 1, clientToken: 'one' });
    expect(failures).toEqual([]);
    expect(started).toMatchObject([
      { arn: expect.stringMatching(/^arn:aws:ecs:local:\d{12}:task\/reefguide\/[0-9a-f]{32}$/), group },
    ]);
    const [note] = await fixture.notes(1);
    expect(note?.task).toMatchObject({
      TaskARN: started[0]?.arn,
      Cluster: localClusterArn,
      Family: group,
      KnownStatus: 'RUNNING',
      Containers: [{ Name: group, Image: 'worker:1' }],
    });
    expect(note?.container).toMatchObject({ Labels: { 'com.amazonaws.ecs.task-arn': started[0]?.arn } });
    expect(await readAttempts(system, note?.jobId ?? 0)).toMatchObject([
      { ecs_task_arn: started[0]?.arn, ecs_cluster_arn: localClusterArn },
    ]);
  });

  it('returns the job of a killed task to the queue within two seconds', async () => {
    const compute = await fixture.compute();
    const { jobId } = await submit(user, payload('killed'));
    const { started } = await compute.launch({ group, count: 1, clientToken: 'one' });
    const [note] = await fixture.notes(1);
    expect(note?.jobId).toBe(jobId);
    const startedAtMs = performance.now();
    process.kill(note?.pid ?? 0, 'SIGKILL');
    await until(async () => (await readJobStatus(system, jobId)) === 'PENDING');
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    expect(await readAttempts(system, jobId)).toMatchObject([{ reason: expect.stringContaining('ended by SIGKILL') }]);
    expect(fixture.stopped).toMatchObject([{ detail: { taskArn: started[0]?.arn, lastStatus: 'STOPPED' } }]);
    expect(await compute.list([group])).toEqual([]);
    await until(async () => (await readdir(tasksDirectory())).length === 0);
  });

  it('launches once for a client token, also for two launches at the same instant', async () => {
    const compute = await fixture.compute();
    await Promise.all([1, 2].map(() => compute.launch({ group, count: 2, clientToken: 'same' })));
    const again = await compute.launch({ group, count: 2, clientToken: 'same' });
    const listed = await compute.list([group]);
    expect(listed).toHaveLength(2);
    expect(again.started.map(({ arn }) => arn).sort()).toEqual(listed.map(({ arn }) => arn).sort());
    await compute.launch({ group, count: 1, clientToken: 'other' });
    expect(await compute.list([group])).toHaveLength(3);
    expect(await compute.list(['another group'])).toEqual([]);
  });

  it.each([false, true])('stops its tasks when it closes (tasks ignore SIGTERM: %s)', async (stubborn) => {
    const compute = await fixture.compute({ stubborn });
    for (const n of [1, 2]) await submit(user, payload(n));
    await compute.launch({ group, count: 2, clientToken: 'two' });
    const notes = await fixture.notes(2);
    const pids = notes.map(({ pid }) => pid);
    expect(pids.every(isRunning)).toBe(true);
    await compute.close();
    expect(pids.some(isRunning)).toBe(false);
    for (const { jobId = 0 } of notes) expect(await readJobStatus(system, jobId)).toBe('PENDING');
    expect(await readdir(tasksDirectory())).toEqual([]);
  });
});

describe('LocalCompute with tasks of another manager', () => {
  const compiled = fileURLToPath(new URL('../../../../dist/compute/local/provider.js', import.meta.url));
  let other: ChildProcess | undefined;

  /** Starts another process with compute in the same directory, and two tasks that sleep. */
  async function startOther(): Promise<ChildProcess> {
    const program = `
      import { LocalCompute } from ${JSON.stringify(compiled)};
      const compute = await LocalCompute.open({
        definitions: [{ group: '${group}', entryPoint: ['sleep'], command: ['60'], environment: {}, image: 'x' }],
        directory: ${JSON.stringify(tasksDirectory())}, logDirectory: ${JSON.stringify(path.join(fixture.directory, 'logs'))},
        environment: process.env, log: { info() {}, warn() {} }, onStopped: async () => {}, now: Date.now,
      });
      await compute.launch({ group: '${group}', count: 2, clientToken: 'one' });
      console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    other = child;
    await once(child.stdout, 'data');
    return child;
  }
  const endOrphans = () =>
    endOrphanTasks({
      directory: tasksDirectory(),
      log: silent,
      async onStopped(event) {
        fixture.stopped.push(event);
      },
      now: Date.now,
    });
  afterEach(async () => {
    other?.kill('SIGKILL');
    await endOrphans();
  });

  it('lists these tasks, and leaves them alone while their manager runs', async () => {
    await startOther();
    await endOrphans();
    const compute = await fixture.compute();
    const listed = await compute.list([group]);
    expect(listed.map(({ arn }) => arn).sort()).toEqual((await records()).map(({ arn }) => arn).sort());
    expect(listed).toHaveLength(2);
    expect(fixture.stopped).toEqual([]);
  });

  it('ends and reports these tasks at the next start after their manager was killed', async () => {
    const child = await startOther();
    const orphans = await records();
    const pids = orphans.map(({ process: { pid } }) => pid);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    expect(pids.every(isRunning)).toBe(true);
    await endOrphans();
    await untilGone(...pids);
    expect(fixture.stopped.map(({ detail }) => detail.taskArn).sort()).toEqual(orphans.map(({ arn }) => arn).sort());
    expect(await (await fixture.compute()).list([group])).toEqual([]);
    expect(await readdir(tasksDirectory())).toEqual([]);
  });
});
