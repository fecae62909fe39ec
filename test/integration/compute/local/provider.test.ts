// Local compute with real processes, and the capacity manager on top of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { endOrphanTasks } from '../../../../src/compute/local/provider.js';
import { localClusterArn } from '../../../../src/compute/local/stopped-event.js';
import { attemptsOf, payload, sql, statusOf, submit, waitingClaims } from '../../../support/jobs.js';
import { group, openTaskGround, silent, type TaskGround } from '../../../support/local-tasks.js';
import { isRunning, untilGone } from '../../../support/processes.js';
import { type Caller, startTestService, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

let system: TestService;
let user: Caller;
let ground: TaskGround;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
});
beforeEach(async () => {
  ground = await openTaskGround(system);
});
afterEach(async () => {
  await ground.close();
  await sql(system, 'DELETE FROM "Job"');
  await sql(system, 'DELETE FROM "CapacityLease"');
});
afterAll(() => system.close());

const tasksFolder = () => path.join(ground.folder, 'tasks');
const records = async (): Promise<{ arn: string; process: { pid: number } }[]> => {
  const files = (await readdir(tasksFolder())).map((id) => path.join(tasksFolder(), id, 'task.json'));
  return Promise.all(files.filter(existsSync).map(async (file) => JSON.parse(await readFile(file, 'utf8'))));
};

describe('a local task', () => {
  it('has the ARN of an ECS task, and learns who it is from a metadata endpoint like that of ECS', async () => {
    const compute = await ground.compute();
    await submit(user, payload('one'));
    const { started, failures } = await compute.launch({ group, count: 1, clientToken: 'one' });
    expect(failures).toEqual([]);
    expect(started).toMatchObject([
      { arn: expect.stringMatching(/^arn:aws:ecs:local:\d{12}:task\/reefguide\/[0-9a-f]{32}$/), group },
    ]);
    const [note] = await ground.notes(1);
    expect(note?.task).toMatchObject({
      TaskARN: started[0]?.arn,
      Cluster: localClusterArn,
      Family: group,
      KnownStatus: 'RUNNING',
      Containers: [{ Name: group, Image: 'worker:1' }],
    });
    expect(note?.container).toMatchObject({ Labels: { 'com.amazonaws.ecs.task-arn': started[0]?.arn } });
    expect(await attemptsOf(system, note?.jobId ?? 0)).toMatchObject([
      { ecs_task_arn: started[0]?.arn, ecs_cluster_arn: localClusterArn },
    ]);
  });

  it('that is killed gives its job back within two seconds', async () => {
    const compute = await ground.compute();
    const { jobId } = await submit(user, payload('killed'));
    const { started } = await compute.launch({ group, count: 1, clientToken: 'one' });
    const [note] = await ground.notes(1);
    expect(note?.jobId).toBe(jobId);
    const began = performance.now();
    process.kill(note?.pid ?? 0, 'SIGKILL');
    await until(async () => (await statusOf(system, jobId)) === 'PENDING');
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await attemptsOf(system, jobId)).toMatchObject([{ reason: expect.stringContaining('ended by SIGKILL') }]);
    expect(ground.stopped).toMatchObject([{ detail: { taskArn: started[0]?.arn, lastStatus: 'STOPPED' } }]);
    expect(await compute.list([group])).toEqual([]);
    await until(async () => (await readdir(tasksFolder())).length === 0);
  });

  it('is launched once for a client token, also when it is used twice at once', async () => {
    const compute = await ground.compute();
    await Promise.all([1, 2].map(() => compute.launch({ group, count: 2, clientToken: 'same' })));
    const again = await compute.launch({ group, count: 2, clientToken: 'same' });
    const listed = await compute.list([group]);
    expect(listed).toHaveLength(2);
    expect(again.started.map(({ arn }) => arn).sort()).toEqual(listed.map(({ arn }) => arn).sort());
    await compute.launch({ group, count: 1, clientToken: 'other' });
    expect(await compute.list([group])).toHaveLength(3);
    expect(await compute.list(['another group'])).toEqual([]);
  });

  it.each([false, true])('is stopped when its compute closes (ignores SIGTERM: %s)', async (stubborn) => {
    const compute = await ground.compute({ stubborn });
    for (const n of [1, 2]) await submit(user, payload(n));
    await compute.launch({ group, count: 2, clientToken: 'two' });
    const notes = await ground.notes(2);
    const pids = notes.map(({ pid }) => pid);
    expect(pids.every(isRunning)).toBe(true);
    await compute.close();
    expect(pids.some(isRunning)).toBe(false);
    for (const { jobId = 0 } of notes) expect(await statusOf(system, jobId)).toBe('PENDING');
    expect(await readdir(tasksFolder())).toEqual([]);
  });
});

describe('tasks of another manager', () => {
  const compiled = fileURLToPath(new URL('../../../../dist/compute/local/provider.js', import.meta.url));
  let other: ChildProcess | undefined;

  /** Another process with compute in the same folder, and two tasks that sleep. */
  async function startOther(): Promise<ChildProcess> {
    const program = `
      import { LocalCompute } from ${JSON.stringify(compiled)};
      const compute = await LocalCompute.open({
        definitions: [{ group: '${group}', entryPoint: ['sleep'], command: ['60'], environment: {}, image: 'x' }],
        directory: ${JSON.stringify(tasksFolder())}, logDirectory: ${JSON.stringify(path.join(ground.folder, 'logs'))},
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
      directory: tasksFolder(),
      log: silent,
      async onStopped(event) {
        ground.stopped.push(event);
      },
      now: Date.now,
    });
  afterEach(async () => {
    other?.kill('SIGKILL');
    await endOrphans();
  });

  it('count as existing, and are left alone while it lives', async () => {
    await startOther();
    await endOrphans();
    const compute = await ground.compute();
    const listed = await compute.list([group]);
    expect(listed.map(({ arn }) => arn).sort()).toEqual((await records()).map(({ arn }) => arn).sort());
    expect(listed).toHaveLength(2);
    expect(ground.stopped).toEqual([]);
  });

  it('are ended, and told of, at the next start once it was killed', async () => {
    const child = await startOther();
    const left = await records();
    const pids = left.map(({ process: { pid } }) => pid);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    expect(pids.every(isRunning)).toBe(true);
    await endOrphans();
    await untilGone(...pids);
    expect(ground.stopped.map(({ detail }) => detail.taskArn).sort()).toEqual(left.map(({ arn }) => arn).sort());
    expect(await (await ground.compute()).list([group])).toEqual([]);
    expect(await readdir(tasksFolder())).toEqual([]);
  });
});

describe('the manager', () => {
  it('launches a task for each job up to its most, and none twice', async () => {
    const compute = await ground.compute();
    const manager = ground.manager(compute);
    await manager.turn();
    expect(await compute.list([group])).toEqual([]);
    for (let n = 0; n < 5; n += 1) await submit(user, payload(n));
    await manager.turn();
    await manager.turn();
    expect(await compute.list([group])).toHaveLength(3);
    const notes = await ground.notes(3);
    expect(new Set(notes.map(({ jobId }) => jobId)).size).toBe(3);
    await manager.turn();
    expect(await compute.list([group])).toHaveLength(3);
    expect(manager.status()).toMatchObject({
      active: true,
      lastError: null,
      groups: [{ group, pending: 2, inProgress: 3, running: 3, desired: 3 }],
    });
  });

  it('replaces a task that was killed', async () => {
    const compute = await ground.compute();
    const manager = ground.manager(compute);
    const { jobId } = await submit(user, payload('one'));
    await manager.turn();
    const [note] = await ground.notes(1);
    await manager.turn();
    process.kill(note?.pid ?? 0, 'SIGKILL');
    await until(async () => (await statusOf(system, jobId)) === 'PENDING');
    await until(async () => {
      await manager.turn();
      return (await attemptsOf(system, jobId)).length === 2;
    });
    expect(await compute.list([group])).toHaveLength(1);
  });

  it('that runs follows the demand by itself, and gives up the lease when it stops', async () => {
    const compute = await ground.compute();
    const manager = ground.manager(compute, { holder: 'runner' });
    const running = manager.run();
    await until(() => manager.status().active);
    await submit(user, payload('one'));
    await ground.notes(1);
    manager.stop();
    await running;
    const held = await sql(system, 'SELECT FROM "CapacityLease" WHERE expires_at > now()');
    expect(held).toEqual([]);
    expect(await waitingClaims(system)).toBe(0);
  });

  it('acts alone: another stands by, takes over when the lease lapses, and the first stands by then', async () => {
    let now = Date.now();
    const [own, others] = [
      await ground.compute(),
      await ground.compute({ directory: path.join(ground.folder, 'others') }),
    ];
    const first = ground.manager(own, { holder: 'first', now: () => now });
    const second = ground.manager(others, { holder: 'second' });
    await first.turn();
    await submit(user, payload('one'));
    await second.turn();
    expect([first.status().active, second.status().active]).toEqual([true, false]);
    expect(await others.list([group])).toEqual([]);
    await first.turn();
    expect(await own.list([group])).toHaveLength(1);

    await own.close();
    await sql(system, `UPDATE "CapacityLease" SET expires_at = now() - interval '1 s'`);
    await second.turn();
    expect(second.status().active).toBe(true);
    expect(await others.list([group])).toHaveLength(1);
    now += 11_000;
    await first.turn();
    expect(first.status().active).toBe(false);
    expect(await own.list([group])).toEqual([]);
  });

  it('of five that ask at the same instant one acts', async () => {
    const managers = await Promise.all(Array.from({ length: 5 }, async () => ground.manager(await ground.compute())));
    await Promise.all(managers.map((manager) => manager.turn()));
    expect(managers.filter((manager) => manager.status().active)).toHaveLength(1);
  });
});
