import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { DescribeTasksCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { type Aws, createAws } from '../../src/aws/clients.js';
import { writeJsonSecret } from '../../src/aws/secrets-manager.js';
import { createApi } from '../../src/client/api.js';
import type { WorkerAssignment } from '../../src/contract/jobs.js';
import { listFiles } from '../../src/platform/files.js';
import { S3Storage } from '../../src/storage/s3.js';
import { uploadOutput } from '../../src/worker/upload.js';
import { hasMoto, type Moto, startMoto } from '../support/moto.js';
import { runProgram, startProgram } from '../support/program.js';
import { startTestService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

const there = hasMoto();
process.stderr.write(
  there
    ? 'wire suite: runs against moto_server\n'
    : 'wire suite: skipped, because the program moto_server is not on this machine (pip install "moto[server]")\n',
);

const before = { ...process.env };
const password = 'it\'s a "password" of $tests `x` \\ end';
const stackName = 'Reef-Wire';
let folder: string;
let moto: Moto;
let aws: Aws;
let system: TestService;
let subnets: string[];
let vpcId: string;
/** Made beside the stack: moto's CloudFormation knows no ARN of a secret that it makes. */
let managerSecret: string;

/** What `cdk deploy` deploys, as far as the manager is concerned. */
function template(): object {
  const container = { Name: 'main', Image: 'reefguide', Memory: 512 };
  const fargate = { RequiresCompatibilities: ['FARGATE'], NetworkMode: 'awsvpc', Cpu: '256', Memory: '512' };
  const field = (name: string) => `${managerSecret}:${name}::`;
  const variables = {
    API_ENDPOINT: system.url,
    AWS_REGION: 'ap-southeast-2',
    VPC_ID: vpcId,
    POLL_INTERVAL_MS: '500',
    PORT: '0',
    TEST_CLUSTER: { Ref: 'Cluster' },
    TEST_TASK_DEF: { Ref: 'Worker' },
    TEST_MIN_CAPACITY: '0',
    TEST_MAX_CAPACITY: '5',
    TEST_COOLDOWN: '0',
    TEST_SENSITIVITY: '100',
    TEST_FACTOR: '1',
    TEST_SECURITY_GROUP: 'sg-12345678',
  };
  return {
    Resources: {
      Cluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterName: 'wire' } },
      Worker: {
        Type: 'AWS::ECS::TaskDefinition',
        Properties: { Family: 'wire-worker', ...fargate, ContainerDefinitions: [container] },
      },
      CapacityManager: {
        Type: 'AWS::ECS::TaskDefinition',
        Properties: {
          Family: 'wire-capacity-manager',
          ...fargate,
          ContainerDefinitions: [
            {
              ...container,
              Environment: Object.entries(variables).map(([Name, Value]) => ({ Name, Value })),
              Secrets: [
                { Name: 'API_USERNAME', ValueFrom: field('username') },
                { Name: 'API_PASSWORD', ValueFrom: field('password') },
              ],
            },
          ],
        },
      },
      Service: {
        Type: 'AWS::ECS::Service',
        Properties: {
          ServiceName: 'wire-api',
          Cluster: { Ref: 'Cluster' },
          TaskDefinition: { Ref: 'Worker' },
          DesiredCount: 1,
          LaunchType: 'FARGATE',
          NetworkConfiguration: { AwsvpcConfiguration: { Subnets: subnets, AssignPublicIp: 'ENABLED' } },
        },
      },
    },
    Outputs: { reefwirecapacityManagerTaskDfn: { Value: { Ref: 'CapacityManager' } } },
  };
}

const place = () => ({
  cwd: folder,
  env: { ...moto.env, REEFGUIDE_HOME: path.join(folder, 'home'), XDG_CONFIG_HOME: path.join(folder, 'config') },
});

(there ? describe : describe.skip)('over the wire, against moto_server', () => {
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'reefguide-wire-'));
    moto = await startMoto();
    Object.assign(process.env, moto.env);
    aws = createAws({ region: 'ap-southeast-2' });
    const ec2 = await aws.ec2();
    vpcId = (await ec2.send(new DescribeVpcsCommand({}))).Vpcs?.[0]?.VpcId ?? '';
    const found = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [vpcId] }] }));
    subnets = (found.Subnets ?? []).flatMap(({ SubnetId }) => SubnetId ?? []);
    await (await aws.s3()).send(
      new CreateBucketCommand({
        Bucket: 'results',
        CreateBucketConfiguration: { LocationConstraint: 'ap-southeast-2' },
      }),
    );
    system = await startTestService({ env: { S3_BUCKET_NAME: 'results', AWS_REGION: 'ap-southeast-2' } });
    const admin = await system.as('ADMIN');
    await admin.post('/api/users', { email: 'manager@example.org', password, roles: ['MANAGER'] });
    const fields = { username: 'manager@example.org', password };
    managerSecret = await writeJsonSecret(aws, 'wire-manager', { exists: false, fields });
    await (await aws.cloudFormation()).send(
      new CreateStackCommand({ StackName: stackName, TemplateBody: JSON.stringify(template()) }),
    );
  }, 60_000);
  afterAll(async () => {
    await system?.close();
    await aws?.reset();
    await moto?.stop();
    process.env = before;
    await rm(folder, { recursive: true, force: true });
  });

  it('a deployed stack gives the environment of its capacity manager', async () => {
    const { Stacks } = await (await aws.cloudFormation()).send(new DescribeStacksCommand({ StackName: stackName }));
    expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
    const { code, stdout, stderr } = await runProgram(['capacity', 'build-env', stackName], place());
    expect(`${code} ${stderr}`).toMatch(new RegExp(`^0 INFO Found stack ${stackName}`));
    expect(stdout + stderr).not.toContain(password);
    const read = parse(await readFile(path.join(folder, '.env')));
    expect(read).toMatchObject({ API_USERNAME: 'manager@example.org', API_PASSWORD: password, VPC_ID: vpcId });
    expect(read.TEST_TASK_DEF).toMatch(/task-definition\/wire-worker:1$/);
  });

  it('the capacity manager follows real jobs on its ECS, with that file alone', async () => {
    const user = await system.as();
    for (const id of [1, 2, 3]) await user.post('/api/jobs', { type: 'TEST', inputPayload: { id } });
    const dryRun = await runProgram(['capacity', 'run', '--dry-run', '--once'], place());
    expect(dryRun.stdout).toContain('wire-worker: 3 jobs wait, 0 run; 0 workers exist, 3 desired: would launch 3');

    const manager = startProgram(['capacity', 'run'], place());
    const ecs = await aws.ecs();
    const tasks = await until(
      async () => {
        const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster: 'wire', family: 'wire-worker' }));
        if (taskArns.length === 0) return undefined;
        const described = await ecs.send(new DescribeTasksCommand({ cluster: 'wire', tasks: taskArns }));
        const ours = described.tasks?.filter(({ startedBy }) => startedBy === 'reefguide-capacity') ?? [];
        return ours.length >= 3 && ours;
      },
      { what: 'three tasks of the manager', timeoutMs: 20_000, everyMs: 100 },
    );
    expect(tasks).toHaveLength(3);
    manager.child.kill('SIGTERM');
    expect((await manager.finished).code).toBe(0);

    const again = await runProgram(['capacity', 'run', '--once'], place());
    expect(again.stdout).toContain('3 desired');
    const { taskArns } = await ecs.send(new ListTasksCommand({ cluster: 'wire', family: 'wire-worker' }));
    expect(taskArns?.length).toBeGreaterThanOrEqual(3);
    const { tasks: all = [] } = await ecs.send(new DescribeTasksCommand({ cluster: 'wire', tasks: taskArns }));
    expect(all.filter(({ startedBy }) => startedBy === 'reefguide-capacity')).toHaveLength(3);
  });

  it('a service is shown, scaled and redeployed', async () => {
    const cluster = (...args: string[]) =>
      runProgram(['cluster', ...args, '--direct', '--cluster', 'wire', '--service', 'wire-api'], place());
    expect((await cluster('scale', '3')).stdout).toContain('Scaled from 1 to 3');
    const status = JSON.parse((await cluster('status', '--json')).stdout);
    expect(status).toMatchObject({ desiredCount: 3, serviceStatus: 'ACTIVE' });
    expect(status.deployments[0].taskDefinition).toMatch(/wire-worker:1$/);
    expect((await cluster('redeploy')).code).toBe(0);
    const missing = await runProgram(
      ['cluster', 'status', '--direct', '--cluster', 'wire', '--service', 'nothing'],
      place(),
    );
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('There is no service nothing')]);
  });

  it('keys are made and rotated in a secret', async () => {
    expect((await runProgram(['keys', 'aws', 'wire-api'], place())).code).toBe(0);
    const rotated = await runProgram(['keys', 'aws', 'wire-api', '--rotate', '--json'], place());
    expect(JSON.parse(rotated.stdout)).toMatchObject({ previousKeyId: expect.any(String) });
  });

  describe('results in S3', () => {
    const names = ['a.txt', 'with space & <amp>.txt', 'ülme/珊瑚 "1".json', 'plus+and%25.csv'];

    it('are uploaded, large ones in parts, and downloaded through presigned URLs', async () => {
      const output = path.join(folder, 'output');
      const content = new Map(
        [...names, 'large.bin'].map((name) => [name, randomBytes(name === 'large.bin' ? 12e6 : 99)]),
      );
      for (const [name, bytes] of content) {
        await mkdir(path.dirname(path.join(output, name)), { recursive: true });
        await writeFile(path.join(output, name), bytes);
      }
      const [user, worker] = [await system.as(), await system.as('WORKER')];
      await user.post('/api/jobs', { type: 'TEST', inputPayload: { id: 77 } });
      const claimed = await worker.post('/api/jobs/claim', {
        jobTypes: ['TEST'],
        ecsTaskArn: 'task',
        ecsClusterArn: 'cluster',
        count: 100,
      });
      const claims: { job: { id: number; input_payload: { id: number } }; assignment: WorkerAssignment }[] =
        claimed.body.claims;
      const ours = claims.find(({ job }) => job.input_payload.id === 77);
      if (!ours) throw new Error('the job was not claimed');
      const api = createApi({ baseUrl: system.url, credentials: { kind: 'none' } });
      await uploadOutput(api, ours.assignment, await listFiles(output), new AbortController().signal);
      await worker.post(`/api/jobs/assignments/${ours.assignment.id}/result`, { status: 'SUCCEEDED' });
      const { files } = (await user.get(`/api/jobs/${ours.job.id}/download`)).body;
      expect(Object.keys(files).sort()).toEqual([...content.keys()].sort());
      for (const [name, bytes] of content) {
        const fetched = Buffer.from(await (await fetch(files[name])).arrayBuffer());
        expect(fetched.equals(bytes)).toBe(true);
      }
    });

    it('are taken without credentials through presigned URLs', async () => {
      const storage = new S3Storage(aws, 'results');
      const location = 's3://results/jobs/TEST/8/8';
      for (const name of names) {
        const url = await storage.uploadUrl(location, name, new Date(Date.now() + 60_000));
        expect((await fetch(url, { method: 'PUT', body: `content of ${name}` })).status).toBe(200);
      }
      const listed = await storage.list(location);
      expect(listed.map(({ relativePath }) => relativePath).sort()).toEqual([...names].sort());
    });

    it('are listed beyond 1,000', async () => {
      const s3 = await aws.s3();
      const put = (n: number) =>
        s3.send(new PutObjectCommand({ Bucket: 'results', Key: `jobs/TEST/9/9/part ${n}`, Body: 'x' }));
      for (let n = 0; n < 1_100; n += 20) await Promise.all(Array.from({ length: 20 }, (_, m) => put(n + m)));
      expect(await new S3Storage(aws, 'results').list('s3://results/jobs/TEST/9/9')).toHaveLength(1_100);
    });

    it('cannot be reached in a bucket that does not exist, and the log alone has the reason', async () => {
      const listing = new S3Storage(aws, 'nothing-here').list('s3://nothing-here/jobs/TEST/1/1');
      await expect(listing).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.not.stringContaining('nothing-here'),
        cause: { message: expect.stringContaining('bucket nothing-here: not found') },
      });
    });
  });
});
