import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { createAws } from '../../../../src/aws/clients.js';
import { CapacityManager } from '../../../../src/capacity/manager/manager.js';
import { type Credentials, createApi } from '../../../../src/client/api.js';
import { EcsCompute } from '../../../../src/compute/ecs/provider.js';
import type { Compute } from '../../../../src/compute/provider.js';
import { sleep } from '../../../../src/platform/sleep.js';
import { type EcsStandIn, startEcsStandIn } from '../../../support/fakes/ecs.js';
import { type Caller, startTestService, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

const before = { ...process.env };
const log = pino({ level: 'silent' });
let system: TestService;
let user: Caller;
let managerKey: string;
let ecs: EcsStandIn;
const undo: (() => Promise<void> | void)[] = [];
beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
  managerKey = await system.apiKey((await system.as('MANAGER')).userId);
});
afterAll(() => system.close());
beforeEach(async () => {
  ecs = await startEcsStandIn();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: ecs.url,
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
  });
  await system.database.pool.query('TRUNCATE "Job", "CapacityLease" CASCADE');
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  await ecs.close();
  process.env = { ...before };
});

function compute(options: { launchTimeoutMs?: number; log?: pino.Logger } = {}): Compute {
  const definition = {
    group: 'reef',
    family: 'reef',
    taskDefinition: 'reef:1',
    cluster: 'reef',
    securityGroup: 'sg-1',
    spot: false,
  };
  const made = new EcsCompute({
    aws: createAws({ region: 'ap-southeast-2' }),
    definitions: [definition],
    vpcId: 'vpc-1',
    log,
    now: Date.now,
    ...options,
  });
  undo.push(() => made.close());
  return made;
}

function manager(
  on: Compute,
  {
    baseUrl = system.url,
    credentials = { kind: 'apiKey', apiKey: managerKey },
    now = Date.now,
  }: { baseUrl?: string; credentials?: Credentials; now?: () => number } = {},
): CapacityManager {
  return new CapacityManager({
    api: createApi({ baseUrl, credentials }),
    compute: on,
    groups: [
      {
        name: 'reef',
        jobTypes: ['TEST'],
        scaling: {
          min: 0,
          max: 100,
          factor: 1,
          sensitivity: 1000,
          cooldownSeconds: 0,
          policy: { kind: 'logarithmic' },
        },
      },
    ],
    holder: randomUUID(),
    pollIntervalMs: 1_000,
    log,
    now,
    sleep,
    random: () => 0,
    newToken: randomUUID,
  });
}

function running(made: CapacityManager): CapacityManager {
  const done = made.run();
  undo.push(async () => {
    made.stop();
    await done;
  });
  return made;
}

const submit = async (count: number) => {
  const jobs = Array.from({ length: count }, () => ({ type: 'TEST', inputPayload: { id: Math.random() * 1e9 } }));
  for (let n = 0; n < count; n += 100) await user.post('/api/jobs/batch', { jobs: jobs.slice(n, n + 100) });
};

const launched = () => ecs.tasks.size;

describe('the capacity manager on ECS', () => {
  it('sends RunTask within a second of a new job', async () => {
    running(manager(compute()));
    await until(() => ecs.count('ListTasks') > 0);
    const submitted = Date.now();
    await submit(1);
    await until(() => ecs.count('RunTask') > 0, { everyMs: 2 });
    expect(Date.now() - submitted).toBeLessThan(1_000);
    await until(() => launched() === 1);
  });

  it('launches 100 tasks in ten calls, with the subnets asked for once', async () => {
    await submit(100);
    await manager(compute()).turn();
    expect(launched()).toBe(100);
    expect([ecs.count('RunTask'), ecs.count('DescribeSubnets')]).toEqual([10, 1]);
  });

  it('starts no more than one set of tasks when two managers begin in the same second', async () => {
    await submit(25);
    const both = [running(manager(compute())), running(manager(compute()))];
    await until(() => both.every((one) => one.status().lastSuccessAt !== undefined));
    expect(both.filter((one) => one.status().active)).toHaveLength(1);
    expect(launched()).toBe(25);
  });

  it('starts nothing anew after a restart, nor beside tasks that somebody started by hand', async () => {
    for (let n = 0; n < 3; n += 1) ecs.start('reef:9', 'somebody');
    await submit(10);
    const first = manager(compute());
    const stopped = first.run();
    await until(() => launched() === 10);
    first.stop();
    await stopped;
    await manager(compute()).turn();
    expect(launched()).toBe(10);
  });
});

describe('when a launch goes wrong', () => {
  it('by a time-out after ECS had launched, nothing is launched twice', async () => {
    let hanging = true;
    ecs.faults.listsLate = true;
    ecs.faults.hang = (action) => action === 'RunTask' && hanging;
    await submit(5);
    const one = running(manager(compute({ launchTimeoutMs: 200 })));
    await until(() => one.status().groups[0]?.lastError?.includes('does not answer'));
    hanging = false;
    await until(() => one.status().groups[0]?.lastError === null);
    expect(launched()).toBe(5);
    expect(one.status().groups[0]).toMatchObject({ running: 5, desired: 5 });
  });

  it('by failures in the answer, the rest is tried later, by itself', async () => {
    ecs.faults.fail = () => ({ count: 4, reason: 'RESOURCE:FARGATE' });
    await submit(5);
    const one = running(manager(compute()));
    await until(() => one.status().groups[0]?.lastError === 'RESOURCE:FARGATE');
    expect([launched(), ecs.count('RunTask')]).toEqual([1, 1]);
    ecs.faults.fail = undefined;
    await until(() => launched() === 5);
    await until(() => one.status().groups[0]?.lastError === null);
  });

  it('because the task definition is gone, it says so, and goes on when it is back', async () => {
    ecs.faults.refuse = (action) =>
      action === 'RunTask' ? { name: 'ClientException', message: 'TaskDefinition is inactive' } : undefined;
    await submit(2);
    const one = running(manager(compute()));
    const error = await until(() => one.status().groups[0]?.lastError);
    expect(error).toBe('ecs:RunTask on task definition reef:1: TaskDefinition is inactive');
    ecs.faults.refuse = undefined;
    await until(() => launched() === 2);
  });

  it('because the credentials expired, it goes on with new ones', async () => {
    ecs.faults.refuse = () => ({ name: 'ExpiredTokenException' });
    await submit(2);
    const one = running(manager(compute()));
    await until(() => one.status().lastError?.includes('the AWS credentials have expired'));
    ecs.faults.refuse = undefined;
    await until(() => launched() === 2);
    await until(() => one.status().lastError === null);
  });

  it('by throttling, it is told after the retries, and no call is made before the backoff is over', async () => {
    ecs.faults.refuse = (action) => (action === 'RunTask' ? { name: 'ThrottlingException' } : undefined);
    await submit(2);
    const one = manager(compute(), { now: () => 0 });
    await one.turn();
    const calls = ecs.count('RunTask');
    expect(calls).toBeLessThanOrEqual(3);
    await one.turn();
    expect(ecs.count('RunTask')).toBe(calls);
    expect(one.status().groups[0]?.lastError).toContain('AWS throttles these calls');
  });
});

it('an older server, which knows only login and poll, is followed too', async () => {
  const asked: string[] = [];
  const older = createServer((request, response) => {
    const path = String(request.url).replace(/\?.*/, '');
    asked.push(`${request.method} ${path}`);
    const answers: Record<string, unknown> = {
      'POST /api/auth/login': { token: 'a token', refreshToken: 'another' },
      'GET /api/jobs/poll': { jobs: [1, 2, 3].map((id) => ({ id, type: 'TEST', status: 'PENDING' })) },
    };
    const answer = answers[`${request.method} ${path}`];
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'Not Found' }));
  });
  await new Promise<void>((resolve) => older.listen(0, '127.0.0.1', resolve));
  undo.push(() => void older.close());
  const address = older.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/api`;
  const credentials = { kind: 'password', email: 'manager@example.com', password: 'a password' } as const;
  const one = running(manager(compute(), { baseUrl, credentials }));
  await until(() => launched() === 3);
  await until(() => asked.filter((call) => call === 'GET /api/jobs/poll').length >= 2);
  expect(launched()).toBe(3);
  expect(one.status().active).toBe(true);
});
