import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import { CreateClusterCommand, DescribeTasksCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type Aws, createAws } from '../../src/aws/clients.js';
import { EcsCommandRunner } from '../../src/executions/runners/ecs/runner.js';
import { hasMoto, type Moto, startMoto } from '../support/moto.js';

const there = hasMoto();
if (!there)
  process.stderr.write('wire suite, executions: skipped, because the program moto_server is not on this machine\n');

const before = { ...process.env };
let moto: Moto;
let aws: Aws;
let subnets: string[];

(there ? describe : describe.skip)('an execution, against moto_server', () => {
  beforeAll(async () => {
    moto = await startMoto();
    Object.assign(process.env, moto.env);
    aws = createAws({ region: 'ap-southeast-2' });
    const { Subnets = [] } = await (await aws.ec2()).send(new DescribeSubnetsCommand({}));
    subnets = Subnets.flatMap(({ SubnetId }) => SubnetId ?? []);
    await (await aws.ecs()).send(new CreateClusterCommand({ clusterName: 'wire' }));
  }, 60_000);
  afterAll(async () => {
    await aws?.reset();
    await moto?.stop();
    process.env = before;
  });

  const image = {
    image: 'images.example.com/tools:1',
    cpu: 256,
    memory: 512,
    runtime_platform: 'Linux/X86_64',
    task_role_name: null,
    task_execution_role_name: 'puller',
  };
  const runner = () =>
    new EcsCommandRunner({
      aws,
      settings: {
        cluster: 'arn:aws:ecs:ap-southeast-2:123456789012:cluster/wire',
        securityGroup: 'sg-12345678',
        subnets,
        logGroup: 'wire-executions',
        region: 'ap-southeast-2',
        familyPrefix: 'wire-execution',
        gitImage: 'images.example.com/git:2',
      },
      log: pino({ level: 'silent' }),
    });

  it('is a task of a definition that is made once, and is stopped', async () => {
    const commands = runner();
    const taskDefinition = await commands.define(image);
    expect(taskDefinition).toMatch(/:task-definition\/wire-execution-images-example-com-tools-1-[0-9a-f]{12}:1$/);
    expect(await commands.define(image)).toBe(taskDefinition);
    const larger = (await commands.define({ ...image, memory: 1024 })) ?? '';
    expect(larger).toMatch(/:2$/);

    const executionId = 'a'.repeat(32);
    const git = {
      repo: 'https://git.example.com/reef.git',
      ref: 'main',
      path: 'scripts',
      token: 'a token of the tests',
    };
    const request = {
      executionId,
      command: 'echo hello',
      image,
      taskDefinition: larger,
      env: { A: 'b' },
      timeoutSeconds: 60,
      git,
    };
    const { taskArn } = await commands.start(request);
    const { tasks = [] } = await (await aws.ecs()).send(
      new DescribeTasksCommand({ cluster: 'wire', tasks: [taskArn] }),
    );
    expect(tasks[0]).toMatchObject({ startedBy: executionId, taskDefinitionArn: larger, launchType: 'FARGATE' });
    expect(tasks[0]?.overrides?.containerOverrides?.map(({ name }) => name)).toEqual(['git', 'main']);

    const all = [taskArn, taskArn.replace(/.$/, (last) => (last === '0' ? '1' : '0'))];
    expect(await commands.filterExisting(all)).toEqual(new Set([taskArn]));
    await commands.stop(taskArn);
    expect(await commands.filterExisting(all)).toEqual(new Set());

    expect(await commands.filterDefined([larger, 'wire-execution-other:1'])).toEqual(new Set([larger]));
    await commands.undefine(larger);
    expect(await commands.filterDefined([larger, taskDefinition ?? ''])).toEqual(new Set());
  });

  it('has its lines, of the checkout and then of the command', async () => {
    const logs = await aws.cloudWatchLogs();
    const logGroupName = 'wire-executions';
    const timestamp = Date.now();
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    for (const container of ['main', 'git', 'other']) {
      const logStreamName = `execution/${container}/abc`;
      await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
      const logEvents = [1, 2].map((n) => ({ timestamp: timestamp + n, message: `${container} ${n}` }));
      await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    }
    const lines = [];
    for await (const batch of runner().readLogs('arn:aws:ecs:ap-southeast-2:123456789012:task/wire/abc'))
      lines.push(...batch);
    expect(lines.map(({ message }) => message)).toEqual(['git 1', 'git 2', 'main 1', 'main 2']);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(4);
    expect(lines[0]?.timestamp).toBe(timestamp + 1);
  });
});
