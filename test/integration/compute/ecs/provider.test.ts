import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../../src/aws/clients.js';
import { EcsCompute } from '../../../../src/compute/ecs/provider.js';
import type { EcsTaskDefinition } from '../../../../src/compute/ecs/task-definition.js';
import type { Compute } from '../../../../src/compute/provider.js';
import { type FakeEcs, startFakeEcs } from '../../../support/fakes/ecs.js';
import { collectLog } from '../../../unit/capacity/manager/support.js';

const definition = (group: string, changes: Partial<EcsTaskDefinition> = {}): EcsTaskDefinition => ({
  group,
  family: group,
  taskDefinition: `${group}:7`,
  cluster: 'reef',
  securityGroup: 'sg-1',
  spot: false,
  ...changes,
});

const originalEnv = { ...process.env };
let ecs: FakeEcs;
let clock: { ms: number };
let log: ReturnType<typeof collectLog>;
const opened: Compute[] = [];
beforeEach(async () => {
  ecs = await startFakeEcs();
  clock = { ms: 1_000_000 };
  log = collectLog();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: ecs.url,
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
  });
});
afterEach(async () => {
  for (const compute of opened.splice(0)) await compute.close();
  await ecs.close();
  process.env = { ...originalEnv };
});

function makeCompute(...definitions: EcsTaskDefinition[]): Compute {
  const compute = new EcsCompute({
    aws: createAws({ region: 'ap-southeast-2' }),
    definitions,
    vpcId: 'vpc-1',
    log: log.log,
    now: () => clock.ms,
  });
  opened.push(compute);
  return compute;
}

describe('EcsCompute.list', () => {
  it('returns every task of the family that starts or runs, whoever started the task', async () => {
    const existing = ['PROVISIONING', 'PENDING', 'ACTIVATING', 'RUNNING'];
    for (const lastStatus of [...existing, 'DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED'])
      ecs.start('a', 'somebody').lastStatus = lastStatus;
    ecs.start('another');
    const tasks = await makeCompute(definition('a')).list(['a']);
    expect(tasks.map(({ lastStatus }) => lastStatus)).toEqual(existing);
    expect(new Set(tasks.map(({ group }) => group))).toEqual(new Set(['a']));
  });

  it('finds 500 tasks of 20 groups by five calls of ListTasks and five of DescribeTasks', async () => {
    const groups = Array.from({ length: 20 }, (_, n) => `g${n}`);
    for (let n = 0; n < 500; n += 1) ecs.start(groups[n % 20] ?? '');
    const tasks = await makeCompute(...groups.map((group) => definition(group))).list(groups);
    expect(tasks).toHaveLength(500);
    expect([ecs.count('ListTasks'), ecs.count('DescribeTasks')]).toEqual([5, 5]);
  });

  it('lists each cluster once', async () => {
    ecs.start('a');
    const tasks = await makeCompute(definition('a'), definition('b', { cluster: 'other' })).list(['a', 'b']);
    expect(tasks).toHaveLength(1);
    const lists = ecs.calls.filter(({ action }) => action === 'ListTasks');
    expect(lists.map(({ body }) => body.cluster).sort()).toEqual(['other', 'reef']);
  });
});

describe('EcsCompute.launch', () => {
  it('launches in all public subnets of the VPC, with security group and starter', async () => {
    const { started, failures } = await makeCompute(definition('a')).launch({ group: 'a', count: 3, clientToken: 't' });
    expect(started).toHaveLength(3);
    expect(failures).toEqual([]);
    const { body } = ecs.calls.find(({ action }) => action === 'RunTask') ?? {};
    expect(body).toMatchObject({
      cluster: 'reef',
      taskDefinition: 'a:7',
      count: 3,
      clientToken: 't',
      startedBy: 'reefguide-capacity',
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ['subnet-a', 'subnet-b', 'subnet-c'],
          securityGroups: ['sg-1'],
          assignPublicIp: 'ENABLED',
        },
      },
    });
    const described = ecs.calls.find(({ action }) => action === 'DescribeSubnets')?.body;
    expect(described).toMatchObject({
      'Filter.1.Name': 'vpc-id',
      'Filter.1.Value.1': 'vpc-1',
      'Filter.2.Name': 'map-public-ip-on-launch',
      'Filter.2.Value.1': 'true',
    });
  });

  it('reads the subnets once in five minutes', async () => {
    const compute = makeCompute(definition('a'));
    const launch = (clientToken: string) => compute.launch({ group: 'a', count: 1, clientToken });
    await Promise.all([launch('1'), launch('2')]);
    clock.ms += 300_000;
    await launch('3');
    expect(ecs.count('DescribeSubnets')).toBe(1);
    clock.ms += 1;
    await launch('4');
    expect(ecs.count('DescribeSubnets')).toBe(2);
  });

  it('passes no more subnets than RunTask takes', async () => {
    for (let n = 0; n < 20; n += 1) ecs.subnets.push(`subnet-${n}`);
    await makeCompute(definition('a')).launch({ group: 'a', count: 1, clientToken: 't' });
    const { body } = ecs.calls.find(({ action }) => action === 'RunTask') ?? {};
    expect(JSON.stringify(body).match(/"subnet-/g)).toHaveLength(16);
  });

  it('throws for a VPC without public subnets, and reads the subnets again', async () => {
    ecs.subnets.length = 0;
    const compute = makeCompute(definition('a'));
    const launch = () => compute.launch({ group: 'a', count: 1, clientToken: 't' });
    await expect(launch()).rejects.toThrow('The VPC vpc-1 has no public subnet');
    ecs.subnets.push('subnet-new');
    expect((await launch()).started).toHaveLength(1);
  });

  it('starts nothing twice for one token, also after a change of the subnets', async () => {
    const compute = makeCompute(definition('a'));
    const launch = () => compute.launch({ group: 'a', count: 2, clientToken: 't' });
    const first = await launch();
    expect((await launch()).started).toEqual(first.started);
    ecs.subnets.push('subnet-new');
    clock.ms += 300_001;
    const arns = (tasks: { arn: string }[]) => tasks.map(({ arn }) => arn);
    expect(arns((await launch()).started)).toEqual(arns(first.started));
    expect(ecs.tasks.size).toBe(2);
  });

  it('returns failures with reasons when RunTask starts fewer tasks', async () => {
    ecs.faults.fail = () => ({ count: 2, reason: 'RESOURCE:FARGATE' });
    const { started, failures } = await makeCompute(definition('a')).launch({ group: 'a', count: 5, clientToken: 't' });
    expect(started).toHaveLength(3);
    expect(failures.map(({ reason }) => reason)).toEqual(['RESOURCE:FARGATE', 'RESOURCE:FARGATE']);
  });
});

describe('EcsCompute on Spot', () => {
  const spot = definition('a', { spot: true });
  const types = () => [...ecs.tasks.values()].map(({ launchType }) => launchType);

  it('launches on Spot when the group allows Spot', async () => {
    await makeCompute(spot).launch({ group: 'a', count: 2, clientToken: 't' });
    expect(types()).toEqual(['FARGATE_SPOT', 'FARGATE_SPOT']);
  });

  it('launches on FARGATE the tasks for which Spot has no capacity, and logs that once', async () => {
    ecs.faults.fail = ({ capacityProviderStrategy }) =>
      capacityProviderStrategy ? { count: 3, reason: 'Capacity is unavailable at this time' } : undefined;
    const compute = makeCompute(spot);
    const { started, failures } = await compute.launch({ group: 'a', count: 4, clientToken: 't' });
    expect([started.length, failures.length]).toEqual([4, 0]);
    expect(types()).toEqual(['FARGATE_SPOT', 'FARGATE', 'FARGATE', 'FARGATE']);
    expect(log.lines.map(({ msg }) => msg)).toEqual(['Spot has no capacity; launching on demand']);
    await compute.launch({ group: 'a', count: 4, clientToken: 'other' });
    expect(log.lines).toHaveLength(1);
  });

  it('launches on FARGATE when the cluster does not offer Spot', async () => {
    let first = true;
    ecs.faults.refuse = (action) => {
      if (action !== 'RunTask' || !first) return undefined;
      first = false;
      return {
        name: 'InvalidParameterException',
        message: 'The specified capacity provider FARGATE_SPOT was not found',
      };
    };
    const { started } = await makeCompute(spot).launch({ group: 'a', count: 2, clientToken: 't' });
    expect(started).toHaveLength(2);
    expect(types()).toEqual(['FARGATE', 'FARGATE']);
  });
});

describe('EcsCompute errors', () => {
  it.each([
    ['AccessDeniedException', 400, 'ecs:RunTask on task definition a:7: not allowed'],
    ['ClientException', 400, 'ecs:RunTask on task definition a:7: TaskDefinition is inactive'],
    ['ExpiredTokenException', 400, 'the AWS credentials have expired'],
  ])('%s names the action, the resource and a remedy', async (name, status, message) => {
    ecs.faults.refuse = (action) =>
      action === 'RunTask' ? { name, status, message: 'TaskDefinition is inactive' } : undefined;
    const launching = makeCompute(definition('a')).launch({ group: 'a', count: 1, clientToken: 't' });
    await expect(launching).rejects.toMatchObject({
      message: expect.stringContaining(message),
      hint: expect.stringMatching(/\w/),
    });
  });

  it('expired credentials end with new credentials, without a restart', async () => {
    ecs.faults.refuse = () => ({ name: 'ExpiredTokenException' });
    const compute = makeCompute(definition('a'));
    await expect(compute.list(['a'])).rejects.toThrow(
      'ecs:ListTasks on cluster reef: the AWS credentials have expired',
    );
    ecs.faults.refuse = undefined;
    process.env.AWS_ACCESS_KEY_ID = 'AKIARENEWED';
    expect(await compute.list(['a'])).toEqual([]);
  });

  it('throttling is retried', async () => {
    let left = 2;
    ecs.faults.refuse = () => {
      left -= 1;
      return left >= 0 ? { name: 'ThrottlingException' } : undefined;
    };
    expect(await makeCompute(definition('a')).list(['a'])).toEqual([]);
  });
});

it('EcsCompute.close: ends a call in flight', async () => {
  ecs.faults.hang = () => true;
  const compute = makeCompute(definition('a'));
  const launching = compute.launch({ group: 'a', count: 1, clientToken: 't' });
  launching.catch(() => {});
  while (ecs.count('RunTask') === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await compute.close();
  await expect(launching).rejects.toThrow('ecs:RunTask');
});
