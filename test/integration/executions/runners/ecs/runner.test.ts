import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../../../src/aws/clients.js';
import type { LoggedLine } from '../../../../../src/events/decode.js';
import { EcsCommandRunner } from '../../../../../src/executions/runners/ecs/runner.js';
import type { EcsCommandSettings } from '../../../../../src/executions/runners/ecs/task-definitions.js';
import type { CommandImage, CommandRequest, CommandRunner } from '../../../../../src/executions/runners/runner.js';
import { awsEnvironment } from '../../../../support/fakes/aws.js';
import { type FakeEcs, startFakeEcs } from '../../../../support/fakes/ecs.js';
import { until } from '../../../../support/until.js';
import { collectLog } from '../../../../unit/capacity/manager/support.js';

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
  runtime_platform: 'Linux/X86_64',
  task_role_name: null,
  task_execution_role_name: null,
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
const runners: CommandRunner[] = [];
beforeEach(async () => {
  ecs = await startFakeEcs();
  log = collectLog();
  Object.assign(process.env, awsEnvironment(ecs.url));
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.close();
  await ecs.close();
  process.env = { ...before };
});

function createRunner(changes: Partial<EcsCommandSettings> = {}): CommandRunner {
  const runner = new EcsCommandRunner({
    aws: createAws({ region: 'ap-southeast-2' }),
    settings: { ...settings, ...changes },
    log: log.log,
  });
  runners.push(runner);
  return runner;
}

const sent = (action: string) => ecs.calls.filter((call) => call.action === action).map(({ body }) => body);
const overridesSent = () =>
  Object.fromEntries(
    Object(sent('RunTask')[0]?.overrides).containerOverrides.map(
      (container: { name: string; command?: string[]; environment: { name: string; value: string }[] }) => [
        container.name,
        {
          command: container.command,
          env: Object.fromEntries(container.environment.map(({ name, value }) => [name, value])),
        },
      ],
    ),
  );

describe('EcsCommandRunner.define', () => {
  it('registers a task on Fargate with a container for the checkout, and with log streams of known names', async () => {
    const arn = await createRunner().define(image({ cpu: 1024, memory: 2048, runtime_platform: 'Linux/ARM64' }));
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

  it('uses roles of the account of the deployment', async () => {
    const roles = { task_role_name: 'reader', task_execution_role_name: 'puller' };
    await createRunner().define(image(roles));
    await createRunner({ executionRoleArn: undefined, taskRoleArn: undefined }).define(
      image({ ...roles, image: 'other' }),
    );
    const arns = ['arn:aws:iam::123456789012:role/reader', 'arn:aws:iam::123456789012:role/puller'];
    expect(
      sent('RegisterTaskDefinition').map(({ taskRoleArn, executionRoleArn }) => [taskRoleArn, executionRoleArn]),
    ).toEqual([arns, arns]);
  });

  it('refuses a role when no ARN names the account', async () => {
    const withoutAccount = createRunner({ cluster: 'reef', executionRoleArn: undefined, taskRoleArn: undefined });
    await expect(withoutAccount.define(image({ task_role_name: 'reader' }))).rejects.toThrow(
      'Cannot tell which account the role reader',
    );
    expect(await withoutAccount.define(image())).toMatch(/:1$/);
  });

  it('refuses a platform that Fargate does not have', async () => {
    await expect(createRunner().define(image({ runtime_platform: 'Windows/X86_64' }))).rejects.toMatchObject({
      message: 'Invalid platform Windows/X86_64: ECS runs images for Linux/X86_64 and Linux/ARM64',
      hint: expect.stringContaining('Register the image again'),
    });
  });

  it('registers a revision only when anything has changed', async () => {
    const first = await createRunner().define(image());
    expect(await createRunner().define(image())).toBe(first);
    expect(await createRunner().define(image({ cpu: 512, memory: 1024 }))).toMatch(/:2$/);
    expect(
      await createRunner({ gitImage: 'images.example.com/git:3' }).define(image({ cpu: 512, memory: 1024 })),
    ).toMatch(/:3$/);
    expect(await createRunner().define(image())).toMatch(/:4$/);
    expect(await createRunner({ taskRoleArn: undefined }).define(image())).toMatch(/:5$/);
    expect(ecs.count('RegisterTaskDefinition')).toBe(5);
  });

  it('registers a definition that exists until undefined, with every revision of its family', async () => {
    const runner = createRunner();
    const revisions = [];
    for (const cpu of [256, 512, 1024]) revisions.push((await runner.define(image({ cpu, memory: 2048 }))) ?? '');
    const other = (await runner.define(image({ image: 'other' }))) ?? '';
    const all = [...revisions, other, `${other.slice(0, -1)}9`, 'never-there'];
    expect([...(await runner.filterDefined(all))].sort()).toEqual([...revisions, other].sort());
    await runner.undefine(revisions[1] ?? '');
    await runner.undefine(revisions[1] ?? '');
    expect([...(await runner.filterDefined(all))]).toEqual([other]);
    expect(await runner.define(image())).toMatch(/:4$/);
  });

  it('throws, rather than registers, when ECS refuses to describe the definition', async () => {
    ecs.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no' });
    await expect(createRunner().filterDefined([definition])).rejects.toMatchObject({ kind: 'denied' });
    await expect(createRunner().define(image())).rejects.toThrow(
      'ecs:DescribeTaskDefinition on task definition reef-execution-',
    );
  });
});

describe('EcsCommandRunner.start', () => {
  it('starts one task, with the execution as client token, in the subnets of the deployment', async () => {
    const { taskArn, attached } = await createRunner().start(request());
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

  it('passes variables, and a script with timeout and directory', async () => {
    await createRunner().start(request());
    const { main, git } = overridesSent();
    expect(git).toBeUndefined();
    expect(main.env).toEqual({ COLOUR: 'blue', REEFGUIDE_EXECUTION_ID: executionId });
    expect(main.command).toEqual([expect.stringMatching(/cd '\/workspace' [\s\S]*sleep 60 [\s\S]*'echo hello'/)]);
  });

  it('runs in the directory of the checkout, and passes the token to the container git alone', async () => {
    const token = 'a token of the tests';
    const git = { repo: 'https://git.example.com/reef/tools', ref: 'v1', path: 'scripts/daily', token };
    await createRunner().start(request({ git }));
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

  it('defines an image without a definition first', async () => {
    await createRunner().start(request({ taskDefinition: undefined }));
    expect(sent('RunTask')[0]?.taskDefinition).toBe(ecs.definitions[0]?.taskDefinitionArn);
    expect(ecs.definitions).toHaveLength(1);
  });

  it('starts a repeated command once, also after a change of subnets', async () => {
    const first = await createRunner().start(request());
    expect(await createRunner().start(request())).toEqual(first);
    expect(await createRunner({ subnets: ['subnet-c'] }).start(request())).toEqual(first);
    expect(ecs.tasks.size).toBe(1);
    expect(log.lines.map(({ msg }) => msg)).toEqual(['the task was launched before']);
  });

  it('refuses a command over the limit of ECS before any call, with a way out', async () => {
    const runner = createRunner();
    const startWithLength = async (length: number) => {
      await runner.start(request({ executionId: String(length).padStart(32, '0'), command: 'x'.repeat(length) }));
      return JSON.stringify(sent('RunTask').at(-1)?.overrides).length;
    };
    const maxLength = 8192 - (await startWithLength(1)) + 1;
    expect(await startWithLength(maxLength)).toBe(8192);
    await expect(startWithLength(maxLength + 1)).rejects.toMatchObject({
      message: 'The command with its variables has 8193 characters; ECS takes 8192',
      hint: expect.stringContaining('Git repository'),
    });
    expect(ecs.count('RunTask')).toBe(2);
  });

  it.each([
    ['RESOURCE:FARGATE', 'try again'],
    ['Capacity is unavailable at this time', 'try again'],
    ['MISSING', 'EXECUTION_'],
  ])('throws reason and remedy when ECS starts nothing: %s', async (reason, hint) => {
    ecs.faults.fail = () => ({ count: 1, reason });
    await expect(createRunner().start(request())).rejects.toMatchObject({
      name: 'SetupError',
      message: `ecs:RunTask on task definition ${definition} started nothing: ${reason}`,
      hint: expect.stringContaining(hint),
    });
  });

  it('throws action and remedy when ECS refuses', async () => {
    ecs.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no iam:PassRole' });
    await expect(createRunner().start(request())).rejects.toMatchObject({
      message: `ecs:RunTask on task definition ${definition}: not allowed: no iam:PassRole`,
      hint: expect.stringContaining('ecs:RunTask'),
    });
  });
});

describe('EcsCommandRunner.stop', () => {
  it('stops a task, and ignores a task that has ended or that ECS has forgotten', async () => {
    const runner = createRunner();
    const { taskArn } = await runner.start(request());
    await runner.stop(taskArn);
    expect(ecs.tasks.get(taskArn)?.lastStatus).toBe('STOPPED');
    await runner.stop(taskArn);
    ecs.tasks.clear();
    await runner.stop(taskArn);
    expect(ecs.count('StopTask')).toBe(3);
  });

  it('throws when ECS cannot stop the task', async () => {
    ecs.faults.refuse = () => ({ name: 'InvalidParameterException', message: 'Invalid identifier' });
    await expect(createRunner().stop('arn:nonsense')).rejects.toThrow(
      'ecs:StopTask on task arn:nonsense: Invalid identifier',
    );
    ecs.faults.refuse = () => ({ name: 'ClusterNotFoundException', message: 'Cluster not found.' });
    await expect(createRunner().stop('arn:nonsense')).rejects.toMatchObject({ kind: 'not_found' });
  });
});

describe('EcsCommandRunner.filterExisting', () => {
  it('returns tasks that start or run, described 100 at a time', async () => {
    const existingStatuses = ['PROVISIONING', 'PENDING', 'ACTIVATING', 'RUNNING'];
    const endedStatuses = ['DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED'];
    const tasks = Array.from({ length: 252 }, (_, n) => {
      const task = ecs.start('x');
      task.lastStatus = [...existingStatuses, ...endedStatuses][n % 9] ?? '';
      return task;
    });
    const arns = tasks.map(({ taskArn }) => taskArn);
    const existing = await createRunner().filterExisting([
      ...arns,
      'arn:aws:ecs:ap-southeast-2:123456789012:task/reef/forgotten',
    ]);
    expect([...existing].sort()).toEqual(
      tasks
        .filter(({ lastStatus }) => existingStatuses.includes(lastStatus))
        .map(({ taskArn }) => taskArn)
        .sort(),
    );
    const sizes = sent('DescribeTasks').map(({ tasks: described }) => Object(described).length);
    expect(sizes.sort()).toEqual([100, 100, 53]);
  });

  it('does not ask ECS for tasks of this machine or of another cluster', async () => {
    const others = ['arn:aws:ecs:local:000000000000:task/reefguide/1', 'arn:aws:ecs:ap-southeast-2:1:task/other/1'];
    expect(await createRunner().filterExisting(others)).toEqual(new Set());
    expect(await createRunner().filterExisting([])).toEqual(new Set());
    expect(ecs.count('DescribeTasks')).toBe(0);
    const { taskArn } = ecs.start('x');
    expect(await createRunner({ cluster: 'reef' }).filterExisting([...others, taskArn])).toEqual(new Set([taskArn]));
  });
});

describe('EcsCommandRunner.readLogs', () => {
  const taskArn = 'arn:aws:ecs:ap-southeast-2:123456789012:task/reef/abc';
  const read = async (): Promise<LoggedLine[]> => {
    const events: LoggedLine[] = [];
    for await (const batch of createRunner().readLogs(taskArn)) events.push(...batch);
    return events;
  };
  const line = (timestamp: number) => ({ timestamp, message: `line ${timestamp}` });

  it('yields every page of the checkout, then of the command', async () => {
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

  it('yields the events of one stream when the other does not exist', async () => {
    ecs.streams.set('execution/main/abc', [line(5)]);
    expect((await read()).map(({ timestamp }) => timestamp)).toEqual([5]);
    ecs.streams.clear();
    expect(await read()).toEqual([]);
  });

  it('throws when the log group does not exist', async () => {
    const logs = createRunner({ logGroup: 'elsewhere' }).readLogs(taskArn)[Symbol.asyncIterator]();
    await expect(logs.next()).rejects.toThrow('logs:FilterLogEvents on log group elsewhere: not found');
  });
});

it('EcsCommandRunner: uses renewed credentials after expired ones', async () => {
  ecs.faults.refuse = () => ({ name: 'ExpiredTokenException' });
  const runner = createRunner();
  await expect(runner.start(request())).rejects.toThrow('the AWS credentials have expired');
  ecs.faults.refuse = undefined;
  expect((await runner.start(request())).taskArn).toContain(':task/reef/');
});

it('EcsCommandRunner.close: ends a call in flight', async () => {
  ecs.faults.hang = () => true;
  const runner = createRunner();
  const starting = runner.start(request());
  starting.catch(() => {});
  await until(() => ecs.count('RunTask') > 0);
  await runner.close();
  await expect(starting).rejects.toThrow('ecs:RunTask');
});
