import { randomUUID } from 'node:crypto';
import { type AwsAnswer, type AwsService, startAwsHttp } from './aws-http.js';
import { type Faults, makeTasks } from './ecs.js';
import { makeTaskDefinitions } from './ecs-definitions.js';

interface FakeDeployment {
  id: string;
  status: 'PRIMARY' | 'ACTIVE';
  taskDefinition: string;
  desiredCount: number;
  runningCount: number;
  pendingCount: number;
  failedTasks: number;
  rolloutState: string;
  rolloutStateReason: string;
}

export interface FakeService {
  serviceName: string;
  status: string;
  desiredCount: number;
  runningCount: number;
  pendingCount: number;
  deployments: FakeDeployment[];
  /** The newest first; seconds since 1970. */
  events: { id: string; createdAt: number; message: string }[];
}

interface Container {
  name: string;
  essential?: boolean;
  environment?: { name: string; value: string }[];
  secrets?: { name: string; valueFrom: string }[];
}

const regionAndAccount = 'ap-southeast-2:123456789012';
const notFound = (message: string): AwsAnswer => ({ refusal: { name: 'ResourceNotFoundException', message } });

/** Returns the variables by which the SDK finds the fake at `url`. */
export const awsEnvironment = (url: string) => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'AKIATEST',
  AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
  AWS_REGION: 'ap-southeast-2',
  AWS_EC2_METADATA_DISABLED: 'true',
  NO_PROXY: '127.0.0.1',
});

/** Secrets by name; a secret has one value, or a value for each version stage and id. */
function makeSecrets() {
  const secrets = new Map<string, { arn: string; versions: Map<string, string | undefined> }>();
  const toArn = (name: string) => `arn:aws:secretsmanager:${regionAndAccount}:secret:${name}-AbCdEf`;
  const find = (id: unknown) => [...secrets].find(([name, { arn }]) => name === id || arn === id);
  /** `value` undefined: the secret exists without a value. */
  const put = (name: string, value: string | undefined, version = 'AWSCURRENT') => {
    const secret = secrets.get(name) ?? { arn: toArn(name), versions: new Map() };
    secret.versions.set(version, value);
    secrets.set(name, secret);
    return secret.arn;
  };
  const service: AwsService = (action, body) => {
    if (action === 'GetSecretValue') {
      const [name, secret] = find(body.SecretId) ?? [];
      const value = secret?.versions.get(String(body.VersionId ?? body.VersionStage ?? 'AWSCURRENT'));
      if (!secret || value === undefined) return notFound("Secrets Manager can't find the specified secret.");
      return { json: { ARN: secret.arn, Name: name, SecretString: value, VersionId: 'v' } };
    }
    const isCreate = action === 'CreateSecret';
    if (!isCreate && action !== 'PutSecretValue') return undefined;
    const match = find(isCreate ? body.Name : body.SecretId);
    if (isCreate && match) return { refusal: { name: 'ResourceExistsException', message: 'the secret exists' } };
    if (!isCreate && !match) return notFound("Secrets Manager can't find the specified secret.");
    const name = match?.[0] ?? String(body.Name);
    return { json: { ARN: put(name, String(body.SecretString)), Name: name, VersionId: 'v' } };
  };
  const value = (name: string) => secrets.get(name)?.versions.get('AWSCURRENT');
  return { service, put, toArn, value };
}

/** Stacks with their outputs, by name. */
function makeStacks() {
  const stacks = new Map<string, Record<string, string>>();
  const service: AwsService = (action, { StackName }) => {
    if (action !== 'DescribeStacks') return undefined;
    const name = String(StackName);
    const outputs = stacks.get(name);
    if (!outputs) return { refusal: { name: 'ValidationError', message: `Stack with id ${name} does not exist` } };
    const members = Object.entries(outputs).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
    );
    const stack = `<StackName>${name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>${members.join('')}</Outputs>`;
    const result = `<DescribeStacksResult><Stacks><member>${stack}</member></Stacks></DescribeStacksResult>`;
    return { xml: `<DescribeStacksResponse>${result}</DescribeStacksResponse>` };
  };
  return { service, stacks };
}

/** Services of ECS and their rollouts, and task definitions. */
function makeServices() {
  const services = new Map<string, FakeService>();
  const definitions = new Map<string, Container[]>();
  /** `after`: the number of descriptions before a new deployment or count is reached. */
  const rollout = { after: 0, left: 0, reached: (_: FakeService) => {} };

  const settle = (service: FakeService) => {
    if (rollout.left > 0) {
      rollout.left -= 1;
      return;
    }
    service.deployments = service.deployments.filter(({ status }) => status === 'PRIMARY');
    for (const deployment of service.deployments) {
      deployment.runningCount = deployment.desiredCount;
      deployment.pendingCount = 0;
      deployment.rolloutState = 'COMPLETED';
    }
    service.runningCount = service.desiredCount;
    rollout.reached(service);
  };
  const update = (service: FakeService, body: Record<string, unknown>) => {
    rollout.left = rollout.after;
    if (typeof body.desiredCount === 'number') service.desiredCount = body.desiredCount;
    const [primary] = service.deployments;
    if (primary) primary.desiredCount = service.desiredCount;
    if (body.forceNewDeployment === true && primary) {
      primary.status = 'ACTIVE';
      const id = `ecs-svc/${randomUUID()}`;
      service.deployments.unshift({
        ...primary,
        id,
        status: 'PRIMARY',
        runningCount: 0,
        pendingCount: service.desiredCount,
        rolloutState: 'IN_PROGRESS',
      });
    }
  };
  const service: AwsService = (action, body) => {
    if (action === 'DescribeTaskDefinition') {
      const name = String(body.taskDefinition);
      const containerDefinitions = definitions.get(name);
      if (!containerDefinitions) return undefined;
      return { json: { taskDefinition: { taskDefinitionArn: name, containerDefinitions } } };
    }
    if (action !== 'DescribeServices' && action !== 'UpdateService') return undefined;
    const [requested] = Array.isArray(body.services) ? body.services : [body.service];
    const existing = services.get(`${body.cluster}/${requested}`);
    if (action === 'DescribeServices') {
      if (!existing) return { json: { services: [], failures: [{ arn: requested, reason: 'MISSING' }] } };
      settle(existing);
      return { json: { services: [existing], failures: [] } };
    }
    if (!existing) return { refusal: { name: 'ServiceNotFoundException', message: 'Service not found.' } };
    update(existing, body);
    return { json: { service: existing } };
  };
  /** Adds a service that runs `count` healthy tasks. */
  const addService = (cluster: string, name: string, count: number): FakeService => {
    const added: FakeService = {
      serviceName: name,
      status: 'ACTIVE',
      desiredCount: count,
      runningCount: count,
      pendingCount: 0,
      deployments: [
        {
          id: 'ecs-svc/1',
          status: 'PRIMARY',
          taskDefinition: `arn:aws:ecs:${regionAndAccount}:task-definition/${name}:7`,
          desiredCount: count,
          runningCount: count,
          pendingCount: 0,
          failedTasks: 0,
          rolloutState: 'COMPLETED',
          rolloutStateReason: 'ECS deployment completed.',
        },
      ],
      events: [],
    };
    services.set(`${cluster}/${name}`, added);
    return added;
  };
  return { service, services, addService, definitions, rollout };
}

/** Starts a fake of Secrets Manager, CloudFormation and ECS, in memory, which speaks the protocols of the SDK. */
export async function startFakeAws() {
  const faults: Faults = {};
  const secrets = makeSecrets();
  const stacks = makeStacks();
  const services = makeServices();
  const ecs = makeTasks(faults);
  const definitions = makeTaskDefinitions();
  const http = await startAwsHttp(
    [secrets.service, stacks.service, services.service, ecs.service, definitions.service],
    faults,
  );
  return {
    ...http,
    faults,
    env: awsEnvironment(http.url),
    putSecret: secrets.put,
    secretArn: secrets.toArn,
    secret: secrets.value,
    stacks: stacks.stacks,
    taskDefinitions: services.definitions,
    addService: services.addService,
    rollout: services.rollout,
    tasks: ecs.tasks,
    startTask: ecs.start,
    /** Returns the bodies of all calls of one action. */
    sent: (action: string) => http.calls.filter((call) => call.action === action).map(({ body }) => body),
  };
}
export type FakeAws = Awaited<ReturnType<typeof startFakeAws>>;
