import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { createAws } from '../../../../src/aws/clients.js';
import { CapacityManager } from '../../../../src/capacity/manager/manager.js';
import { createApi } from '../../../../src/client/api.js';
import type { Credentials } from '../../../../src/client/http.js';
import { sleep } from '../../../../src/client/sleep.js';
import { EcsCompute } from '../../../../src/compute/ecs/provider.js';
import type { Compute } from '../../../../src/compute/provider.js';
import { type FakeEcs, startFakeEcs } from '../../../support/fakes/ecs.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

const originalEnv = { ...process.env };
const log = pino({ level: 'silent' });
let system: TestService;
let user: TestCaller;
let managerKey: string;
let ecs: FakeEcs;
const cleanups: (() => Promise<void> | void)[] = [];
beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
  managerKey = await system.apiKey((await system.as('MANAGER')).userId);
  // Loads the SDK, as the program does before the first job.
  const aws = createAws({ region: 'ap-southeast-2' });
  await Promise.all([aws.ecs(), aws.ec2()]);
});
afterAll(() => system.close());
beforeEach(async () => {
  ecs = await startFakeEcs();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: ecs.url,
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
  });
  await system.database.pool.query('TRUNCATE "Job", "CapacityLease" CASCADE');
});
afterEach(async () => {
  for (const step of cleanups.splice(0).reverse()) await step();
  await ecs.close();
  process.env = { ...originalEnv };
});

function makeCompute(options: { launchTimeoutMs?: number; log?: pino.Logger } = {}): Compute {
  const definition = {
    group: 'reef',
    family: 'reef',
    taskDefinition: 'reef:1',
    cluster: 'reef',
    securityGroup: 'sg-1',
    spot: false,
  };
  const compute = new EcsCompute({
    aws: createAws({ region: 'ap-southeast-2' }),
    definitions: [definition],
    vpcId: 'vpc-1',
    log,
    now: Date.now,
    ...options,
  });
  cleanups.push(() => compute.close());
  return compute;
}

function makeManager(
  compute: Compute,
  {
    baseUrl = system.url,
    credentials = { kind: 'apiKey', apiKey: managerKey },
    now = Date.now,
  }: { baseUrl?: string; credentials?: Credentials; now?: () => number } = {},
): CapacityManager {
  return new CapacityManager({
    api: createApi({ baseUrl, credentials }),
    compute,
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

function start(manager: CapacityManager): CapacityManager {
  const finished = manager.run();
  cleanups.push(async () => {
    manager.stop();
    await finished;
  });
  return manager;
}

const submit = async (count: number) => {
  const jobs = Array.from({ length: count }, () => ({ type: 'TEST', inputPayload: { id: Math.random() * 1e9 } }));
  for (let n = 0; n < count; n += 100) await user.post('/api/jobs/batch', { jobs: jobs.slice(n, n + 100) });
};

const launched = () => ecs.tasks.size;

describe('CapacityManager on ECS', () => {
  it('sends RunTask within a second of a new job', async () => {
    start(makeManager(makeCompute()));
    await until(() => ecs.count('ListTasks') > 0);
    const submitted = Date.now();
    await submit(1);
    await until(() => ecs.count('RunTask') > 0, { everyMs: 2 });
    expect(Date.now() - submitted).toBeLessThan(1_000);
    await until(() => launched() === 1);
  });

  it('launches 100 tasks by ten calls, and reads the subnets once', async () => {
    await submit(100);
    await makeManager(makeCompute()).turn();
    expect(launched()).toBe(100);
    expect([ecs.count('RunTask'), ecs.count('DescribeSubnets')]).toEqual([10, 1]);
  });

  it('launches nothing twice when two managers start in the same second', async () => {
    await submit(25);
    const both = [start(makeManager(makeCompute())), start(makeManager(makeCompute()))];
    await until(() => both.every((manager) => manager.status().lastSuccessAt !== undefined));
    expect(both.filter((manager) => manager.status().active)).toHaveLength(1);
    expect(launched()).toBe(25);
  });

  it('launches nothing twice after a restart, nor beside tasks that were started by hand', async () => {
    for (let n = 0; n < 3; n += 1) ecs.start('reef:9', 'somebody');
    await submit(10);
    const first = makeManager(makeCompute());
    const stopped = first.run();
    await until(() => launched() === 10);
    first.stop();
    await stopped;
    await makeManager(makeCompute()).turn();
    expect(launched()).toBe(10);
  });
});

describe('CapacityManager on ECS after a failed launch', () => {
  it('launches nothing twice after a timeout of a launch that happened', async () => {
    let hanging = true;
    ecs.faults.listsLate = true;
    ecs.faults.hang = (action) => action === 'RunTask' && hanging;
    await submit(5);
    const manager = start(makeManager(makeCompute({ launchTimeoutMs: 200 })));
    await until(() => manager.status().groups[0]?.lastError?.includes('does not answer'));
    hanging = false;
    await until(() => manager.status().groups[0]?.lastError === null);
    expect(launched()).toBe(5);
    expect(manager.status().groups[0]).toMatchObject({ running: 5, desired: 5 });
  });

  it('launches later the tasks that RunTask did not start', async () => {
    ecs.faults.fail = () => ({ count: 4, reason: 'RESOURCE:FARGATE' });
    await submit(5);
    const manager = start(makeManager(makeCompute()));
    await until(() => manager.status().groups[0]?.lastError === 'RESOURCE:FARGATE');
    expect([launched(), ecs.count('RunTask')]).toEqual([1, 1]);
    ecs.faults.fail = undefined;
    await until(() => launched() === 5);
    await until(() => manager.status().groups[0]?.lastError === null);
  });

  it('reports a missing task definition, and goes on when the task definition is back', async () => {
    ecs.faults.refuse = (action) =>
      action === 'RunTask' ? { name: 'ClientException', message: 'TaskDefinition is inactive' } : undefined;
    await submit(2);
    const manager = start(makeManager(makeCompute()));
    const error = await until(() => manager.status().groups[0]?.lastError);
    expect(error).toBe('ecs:RunTask on task definition reef:1: TaskDefinition is inactive');
    ecs.faults.refuse = undefined;
    await until(() => launched() === 2);
  });

  it('goes on with new credentials after the old ones expired', async () => {
    ecs.faults.refuse = () => ({ name: 'ExpiredTokenException' });
    await submit(2);
    const manager = start(makeManager(makeCompute()));
    await until(() => manager.status().lastError?.includes('the AWS credentials have expired'));
    expect(launched()).toBe(0);
    ecs.faults.refuse = undefined;
    await until(() => manager.status().groups[0]?.running === 2);
    expect([launched(), manager.status().lastError]).toEqual([2, null]);
  });

  it('reports throttling after the retries, and calls AWS no more before the backoff is over', async () => {
    ecs.faults.refuse = (action) => (action === 'RunTask' ? { name: 'ThrottlingException' } : undefined);
    await submit(2);
    const manager = makeManager(makeCompute(), { now: () => 0 });
    await manager.turn();
    const calls = ecs.count('RunTask');
    expect(calls).toBeLessThanOrEqual(3);
    await manager.turn();
    expect(ecs.count('RunTask')).toBe(calls);
    expect(manager.status().groups[0]?.lastError).toContain('AWS throttles these calls');
  });
});

it('CapacityManager with a legacy server: follows a server that offers login and poll alone', async () => {
  const requests: string[] = [];
  const legacyServer = createServer((request, response) => {
    const path = String(request.url).replace(/\?.*/, '');
    requests.push(`${request.method} ${path}`);
    const answers: Record<string, unknown> = {
      'POST /api/auth/login': { token: 'a token', refreshToken: 'another' },
      'GET /api/jobs/poll': { jobs: [1, 2, 3].map((id) => ({ id, type: 'TEST', status: 'PENDING' })) },
    };
    const answer = answers[`${request.method} ${path}`];
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'Not Found' }));
  });
  await new Promise<void>((resolve) => legacyServer.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => void legacyServer.close());
  const address = legacyServer.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/api`;
  const credentials = { kind: 'password', email: 'manager@example.com', password: 'a password' } as const;
  const manager = start(makeManager(makeCompute(), { baseUrl, credentials }));
  await until(() => launched() === 3);
  await until(() => requests.filter((call) => call === 'GET /api/jobs/poll').length >= 2);
  expect(launched()).toBe(3);
  expect(manager.status().active).toBe(true);
});
