import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../../../src/aws/clients.js';
import { createEcsCommandRunner } from '../../../../../src/executions/runners/ecs/runner.js';
import { type EcsCommandSettings, familyOfImage } from '../../../../../src/executions/runners/ecs/task-definitions.js';
import type {
  CommandImage,
  CommandRequest,
  CommandRunner,
  ProviderLogEvent,
} from '../../../../../src/executions/runners/runner.js';
import { awsEnvironment } from '../../../../support/fakes/aws.js';
import { type FakeEcs, startFakeEcs } from '../../../../support/fakes/ecs.js';
import { until } from '../../../../support/until.js';
import { collectLog } from '../../../capacity/manager/support.js';

const settings: EcsCommandSettings = {
  cluster: 'arn:aws:ecs:ap-southeast-2:123456789012:cluster/reef',
  securityGroup: 'sg-1',
  subnets: ['subnet-a', 'subnet-b'],
  logGroup: 'executions',
  region: 'ap-southeast-2',
  executionRoleArn: 'arn:aws:iam::123456789012:role/reef-execution',
  taskRoleArn: 'arn:aws:iam::123456789012:role/reef-task',
  familyPrefix: 'reef-execution',
  gitImage: 'images.example.com/git:2',
};

const image = (changes: Partial<CommandImage> = {}): CommandImage => ({
  image: 'images.example.com/tools/gdal:3.9',
  cpu: 256,
  memory: 512,
  runtimePlatform: 'Linux/X86_64',
  taskRoleName: undefined,
  taskExecutionRoleName: undefined,
  ...changes,
});
const executionId = '0123456789abcdef0123456789abcdef';
const definition = 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/reef-execution-x:3';
const request = (changes: Partial<CommandRequest> = {}): CommandRequest => ({
  executionId,
  command: 'echo hello',
  image: image(),
  taskDefinition: definition,
  env: { COLOUR: 'blue' },
  timeoutSeconds: 60,
  git: undefined,
  ...changes,
});

const before = { ...process.env };
let ecs: FakeEcs;
let log: ReturnType<typeof collectLog>;
const made: CommandRunner[] = [];
beforeEach(async () => {
  ecs = await startFakeEcs();
  log = collectLog();
  Object.assign(process.env, awsEnvironment(ecs.url));
});
afterEach(async () => {
  for (const runner of made.splice(0)) await runner.close();
  await ecs.close();
  process.env = { ...before };
});

function make(changes: Partial<EcsCommandSettings> = {}): CommandRunner {
  const runner = createEcsCommandRunner({
    aws: createAws({ region: 'ap-southeast-2' }),
    settings: { ...settings, ...changes },
    log: log.log,
  });
  made.push(runner);
  return runner;
}

const sent = (action: string) => ecs.calls.filter((call) => call.action === action).map(({ body }) => body);
const overridesSent = () =>
  Object.fromEntries(
    Object(sent('RunTask')[0]?.overrides).containerOverrides.map(
      (one: { name: string; command?: string[]; environment: { name: string; value: string }[] }) => [
        one.name,
        { command: one.command, env: Object.fromEntries(one.environment.map(({ name, value }) => [name, value])) },
      ],
    ),
  );

describe('familyOfImage', () => {
  it('is readable, has no character that ECS refuses, and is another for every image', () => {
    const names = [
      'alpine:3.22',
      'alpine-3.22',
      'alpine@sha256:1',
      'registry:5000/a/alpine:3.22',
      `a/${'x'.repeat(250)}`,
    ];
    const families = names.map((name) => familyOfImage('reef-execution', name));
    expect(new Set(families).size).toBe(names.length);
    expect(families[0]).toMatch(/^reef-execution-alpine-3-22-[0-9a-f]{12}$/);
    for (const family of families) expect(family).toMatch(/^[A-Za-z0-9-]{1,255}$/);
  });
});

describe('the definition of an image', () => {
  it('is a task on Fargate that makes the checkout first, and logs under names that are known', async () => {
    const arn = await make().define(image({ cpu: 1024, memory: 2048, runtimePlatform: 'Linux/ARM64' }));
    expect(arn).toMatch(/:task-definition\/reef-execution-images-example-com-tools-gdal-3-9-[0-9a-f]{12}:1$/);
    const [body] = sent('RegisterTaskDefinition');
    const logConfiguration = {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': 'executions',
        'awslogs-region': 'ap-southeast-2',
        'awslogs-stream-prefix': 'execution',
        mode: 'blocking',
      },
    };
    const mountPoints = [{ sourceVolume: 'workspace', containerPath: '/workspace' }];
    expect(body).toMatchObject({
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '1024',
      memory: '2048',
      runtimePlatform: { operatingSystemFamily: 'LINUX', cpuArchitecture: 'ARM64' },
      executionRoleArn: settings.executionRoleArn,
      taskRoleArn: settings.taskRoleArn,
      volumes: [{ name: 'workspace' }],
      containerDefinitions: [
        { name: 'git', image: 'images.example.com/git:2', essential: false, logConfiguration, mountPoints },
        {
          name: 'main',
          image: 'images.example.com/tools/gdal:3.9',
          essential: true,
          dependsOn: [{ containerName: 'git', condition: 'SUCCESS' }],
          entryPoint: ['/bin/sh', '-c'],
          stopTimeout: 10,
          logConfiguration,
          mountPoints,
        },
      ],
    });
  });

  it('names roles of the account of the deployment', async () => {
    const roles = { taskRoleName: 'reader', taskExecutionRoleName: 'puller' };
    await make().define(image(roles));
    await make({ executionRoleArn: undefined, taskRoleArn: undefined }).define(image({ ...roles, image: 'other' }));
    const arns = ['arn:aws:iam::123456789012:role/reader', 'arn:aws:iam::123456789012:role/puller'];
    expect(sent('RegisterTaskDefinition').map((one) => [one.taskRoleArn, one.executionRoleArn])).toEqual([arns, arns]);
  });

  it('that names a role is refused where nothing says which account is meant', async () => {
    const nameless = make({ cluster: 'reef', executionRoleArn: undefined, taskRoleArn: undefined });
    await expect(nameless.define(image({ taskRoleName: 'reader' }))).rejects.toThrow('which account the role reader');
    expect(await nameless.define(image())).toMatch(/:1$/);
  });

  it('is refused for a platform that Fargate does not have', async () => {
    await expect(make().define(image({ runtimePlatform: 'Windows/X86_64' }))).rejects.toMatchObject({
      message: 'ECS does not run images for Windows/X86_64',
      hint: expect.stringContaining('Linux/ARM64'),
    });
  });

  it('is used again while it is the same, and made anew when anything changed', async () => {
    const first = await make().define(image());
    expect(await make().define(image())).toBe(first);
    expect(await make().define(image({ cpu: 512, memory: 1024 }))).toMatch(/:2$/);
    expect(await make({ gitImage: 'images.example.com/git:3' }).define(image({ cpu: 512, memory: 1024 }))).toMatch(
      /:3$/,
    );
    expect(await make().define(image())).toMatch(/:4$/);
    expect(await make({ taskRoleArn: undefined }).define(image())).toMatch(/:5$/);
    expect(ecs.count('RegisterTaskDefinition')).toBe(5);
  });

  it('exists until it is taken out of use, with every revision of its family', async () => {
    const runner = make();
    const revisions = [];
    for (const cpu of [256, 512, 1024]) revisions.push((await runner.define(image({ cpu, memory: 2048 }))) ?? '');
    const other = (await runner.define(image({ image: 'other' }))) ?? '';
    const all = [...revisions, other, `${other.slice(0, -1)}9`, 'never-there'];
    expect([...(await runner.defined(all))].sort()).toEqual([...revisions, other].sort());
    await runner.undefine(revisions[1] ?? '');
    await runner.undefine(revisions[1] ?? '');
    expect([...(await runner.defined(all))]).toEqual([other]);
    expect(await runner.define(image())).toMatch(/:4$/);
  });

  it('is not taken for missing when ECS refuses to tell', async () => {
    ecs.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no' });
    await expect(make().defined([definition])).rejects.toMatchObject({ kind: 'denied' });
    await expect(make().define(image())).rejects.toThrow(
      'ecs:DescribeTaskDefinition on task definition reef-execution-',
    );
  });
});

describe('a command', () => {
  it('is one task with its execution as client token, in the subnets of the deployment', async () => {
    const { taskArn, attached } = await make().start(request());
    expect([...ecs.tasks.keys()]).toEqual([taskArn]);
    expect(attached).toBeUndefined();
    expect(sent('RunTask')[0]).toMatchObject({
      cluster: settings.cluster,
      taskDefinition: definition,
      count: 1,
      launchType: 'FARGATE',
      clientToken: executionId,
      startedBy: executionId,
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ['subnet-a', 'subnet-b'],
          securityGroups: ['sg-1'],
          assignPublicIp: 'ENABLED',
        },
      },
    });
  });

  it('gets its environment, and a script with its time and its folder', async () => {
    await make().start(request());
    const { main, git } = overridesSent();
    expect(git).toBeUndefined();
    expect(main.env).toEqual({ COLOUR: 'blue', REEFGUIDE_EXECUTION_ID: executionId });
    expect(main.command).toEqual([expect.stringMatching(/cd '\/workspace' [\s\S]*sleep 60 [\s\S]*'echo hello'/)]);
  });

  it('runs in the folder of its checkout, whose token it cannot see', async () => {
    const token = 'a token of the tests';
    const git = { repo: 'https://git.example.com/reef/tools', ref: 'v1', path: 'scripts/daily', token };
    await make().start(request({ git }));
    const overrides = overridesSent();
    expect(overrides.git.env).toMatchObject({
      CHECKOUT_REPO: git.repo,
      CHECKOUT_REF: 'v1',
      CHECKOUT_PATH: 'scripts/daily',
      CHECKOUT_FOLDER: '/workspace',
      GIT_CONFIG_KEY_0: 'http.https://git.example.com/.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
    });
    expect(overrides.git.command).toBeUndefined();
    expect(overrides.main.command[0]).toContain("cd '/workspace/repo/scripts/daily'");
    const encoded = Buffer.from(token).toString('base64').slice(0, 12);
    for (const secret of [token, encoded]) expect(JSON.stringify(overrides.main)).not.toContain(secret);
  });

  it('of an image that was never defined here is defined first', async () => {
    await make().start(request({ taskDefinition: undefined }));
    expect(sent('RunTask')[0]?.taskDefinition).toBe(ecs.definitions[0]?.taskDefinitionArn);
    expect(ecs.definitions).toHaveLength(1);
  });

  it('that is sent twice runs once, also when the subnets have changed since', async () => {
    const first = await make().start(request());
    expect(await make().start(request())).toEqual(first);
    expect(await make({ subnets: ['subnet-c'] }).start(request())).toEqual(first);
    expect(ecs.tasks.size).toBe(1);
    expect(log.lines.map(({ msg }) => msg)).toEqual(['the launch had happened already']);
  });

  it('that is longer than ECS takes is refused before anything is asked of it, with a way out', async () => {
    const runner = make();
    const sizeOf = async (length: number) => {
      await runner.start(request({ executionId: String(length).padStart(32, '0'), command: 'x'.repeat(length) }));
      return JSON.stringify(sent('RunTask').at(-1)?.overrides).length;
    };
    const room = 8192 - (await sizeOf(1)) + 1;
    expect(await sizeOf(room)).toBe(8192);
    await expect(sizeOf(room + 1)).rejects.toMatchObject({
      message: 'The command with its environment takes 8193 characters; ECS takes 8192',
      hint: expect.stringContaining('Git repository'),
    });
    expect(ecs.count('RunTask')).toBe(2);
  });

  it.each([
    ['RESOURCE:FARGATE', 'try again'],
    ['Capacity is unavailable at this time', 'try again'],
    ['MISSING', 'EXECUTION_'],
  ])('that ECS does not start (%s) says why and what to do', async (reason, hint) => {
    ecs.faults.fail = () => ({ count: 1, reason });
    await expect(make().start(request())).rejects.toMatchObject({
      name: 'SetupError',
      message: `ecs:RunTask on task definition ${definition} started nothing: ${reason}`,
      hint: expect.stringContaining(hint),
    });
  });

  it('that ECS refuses is an error that names action and remedy', async () => {
    ecs.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no iam:PassRole' });
    await expect(make().start(request())).rejects.toMatchObject({
      message: `ecs:RunTask on task definition ${definition}: not allowed: no iam:PassRole`,
      hint: expect.stringContaining('ecs:RunTask'),
    });
  });

  it('is stopped; one that has ended or that ECS has forgotten is no error', async () => {
    const runner = make();
    const { taskArn } = await runner.start(request());
    await runner.stop(taskArn);
    expect(ecs.tasks.get(taskArn)?.lastStatus).toBe('STOPPED');
    await runner.stop(taskArn);
    ecs.tasks.clear();
    await runner.stop(taskArn);
    expect(ecs.count('StopTask')).toBe(3);
  });

  it('that cannot be stopped is an error', async () => {
    ecs.faults.refuse = () => ({ name: 'InvalidParameterException', message: 'Invalid identifier' });
    await expect(make().stop('arn:nonsense')).rejects.toThrow('ecs:StopTask on task arn:nonsense: Invalid identifier');
    ecs.faults.refuse = () => ({ name: 'ClusterNotFoundException', message: 'Cluster not found.' });
    await expect(make().stop('arn:nonsense')).rejects.toMatchObject({ kind: 'not_found' });
  });
});

describe('what exists', () => {
  it('is what starts or runs, asked for 100 at a time', async () => {
    const alive = ['PROVISIONING', 'PENDING', 'ACTIVATING', 'RUNNING'];
    const dead = ['DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED'];
    const tasks = Array.from({ length: 252 }, (_, n) => {
      const task = ecs.start('x');
      task.lastStatus = [...alive, ...dead][n % 9] ?? '';
      return task;
    });
    const arns = tasks.map(({ taskArn }) => taskArn);
    const found = await make().existing([...arns, 'arn:aws:ecs:ap-southeast-2:123456789012:task/reef/forgotten']);
    expect([...found].sort()).toEqual(
      tasks
        .filter(({ lastStatus }) => alive.includes(lastStatus))
        .map(({ taskArn }) => taskArn)
        .sort(),
    );
    const sizes = sent('DescribeTasks').map(({ tasks: asked }) => Object(asked).length);
    expect(sizes.sort()).toEqual([100, 100, 53]);
  });

  it('is not asked for elsewhere: a task of this machine or of another cluster', async () => {
    const others = ['arn:aws:ecs:local:000000000000:task/reefguide/1', 'arn:aws:ecs:ap-southeast-2:1:task/other/1'];
    expect(await make().existing(others)).toEqual(new Set());
    expect(await make().existing([])).toEqual(new Set());
    expect(ecs.count('DescribeTasks')).toBe(0);
    const { taskArn } = ecs.start('x');
    expect(await make({ cluster: 'reef' }).existing([...others, taskArn])).toEqual(new Set([taskArn]));
  });
});

describe('logs', () => {
  const taskArn = 'arn:aws:ecs:ap-southeast-2:123456789012:task/reef/abc';
  const read = async (): Promise<ProviderLogEvent[]> => {
    const events: ProviderLogEvent[] = [];
    for await (const batch of make().logs(taskArn)) events.push(...batch);
    return events;
  };
  const line = (timestamp: number) => ({ timestamp, message: `line ${timestamp}` });

  it('are those of the checkout, then those of the command, every page', async () => {
    ecs.streams.set('execution/main/abc', [line(20), line(21), line(22), line(23), line(24)]);
    ecs.streams.set('execution/git/abc', [line(10)]);
    ecs.streams.set('execution/main/another', [line(1)]);
    expect(await read()).toEqual([
      { id: 'execution/git/abc#0', timestamp: 10, message: 'line 10' },
      ...[0, 1, 2, 3, 4].map((n) => ({
        id: `execution/main/abc#${n}`,
        timestamp: 20 + n,
        message: `line ${20 + n}`,
      })),
    ]);
  });

  it('are those of one stream when nothing was logged to the other', async () => {
    ecs.streams.set('execution/main/abc', [line(5)]);
    expect((await read()).map(({ timestamp }) => timestamp)).toEqual([5]);
    ecs.streams.clear();
    expect(await read()).toEqual([]);
  });

  it('of a group that is not there are an error', async () => {
    const logs = make({ logGroup: 'elsewhere' }).logs(taskArn)[Symbol.asyncIterator]();
    await expect(logs.next()).rejects.toThrow('logs:FilterLogEvents on log group elsewhere: not found');
  });
});

it('credentials that ended are over as soon as there are new ones', async () => {
  ecs.faults.refuse = () => ({ name: 'ExpiredTokenException' });
  const runner = make();
  await expect(runner.start(request())).rejects.toThrow('the AWS credentials have expired');
  ecs.faults.refuse = undefined;
  expect((await runner.start(request())).taskArn).toContain(':task/reef/');
});

it('closing ends a call in flight', async () => {
  ecs.faults.hang = () => true;
  const runner = make();
  const starting = runner.start(request());
  starting.catch(() => {});
  await until(() => ecs.count('RunTask') > 0);
  await runner.close();
  await expect(starting).rejects.toThrow('ecs:RunTask');
});
