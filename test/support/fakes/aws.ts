import { randomUUID } from 'node:crypto';
import { type AwsAnswer, type AwsService, startAwsHttp } from './aws-http.js';
import { ecsInMemory, type Faults } from './ecs.js';
import { definitionsInMemory } from './ecs-definitions.js';

interface StandInDeployment {
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

export interface StandInService {
  serviceName: string;
  status: string;
  desiredCount: number;
  runningCount: number;
  pendingCount: number;
  deployments: StandInDeployment[];
  /** The newest first; seconds since 1970. */
  events: { id: string; createdAt: number; message: string }[];
}

interface Container {
  name: string;
  essential?: boolean;
  environment?: { name: string; value: string }[];
  secrets?: { name: string; valueFrom: string }[];
}

const place = 'ap-southeast-2:123456789012';
const notFound = (message: string): AwsAnswer => ({ refusal: { name: 'ResourceNotFoundException', message } });

/** The environment in which the SDK finds the stand-in at `url`. */
export const awsEnvironment = (url: string) => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'AKIATEST',
  AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
  AWS_REGION: 'ap-southeast-2',
  AWS_EC2_METADATA_DISABLED: 'true',
  NO_PROXY: '127.0.0.1',
});

/** Secrets by name; each has one value, or one for each version stage and id. */
function secretsInMemory() {
  const secrets = new Map<string, { arn: string; versions: Map<string, string | undefined> }>();
  const arnOf = (name: string) => `arn:aws:secretsmanager:${place}:secret:${name}-AbCdEf`;
  const find = (id: unknown) => [...secrets].find(([name, { arn }]) => name === id || arn === id);
  /** Without a value: a secret that was made and never filled. */
  const put = (name: string, value: string | undefined, version = 'AWSCURRENT') => {
    const secret = secrets.get(name) ?? { arn: arnOf(name), versions: new Map() };
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
    const found = find(isCreate ? body.Name : body.SecretId);
    if (isCreate && found) return { refusal: { name: 'ResourceExistsException', message: 'the secret exists' } };
    if (!isCreate && !found) return notFound("Secrets Manager can't find the specified secret.");
    const name = found?.[0] ?? String(body.Name);
    return { json: { ARN: put(name, String(body.SecretString)), Name: name, VersionId: 'v' } };
  };
  const value = (name: string) => secrets.get(name)?.versions.get('AWSCURRENT');
  return { service, put, arnOf, value };
}

/** Stacks with their outputs, by name. */
function stacksInMemory() {
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
function servicesInMemory() {
  const services = new Map<string, StandInService>();
  const definitions = new Map<string, Container[]>();
  /** How often a new deployment or count is described before it is reached. */
  const rollout = { after: 0, left: 0, reached: (_: StandInService) => {} };

  const settle = (service: StandInService) => {
    if (rollout.left > 0) {
      rollout.left -= 1;
      return;
    }
    service.deployments = service.deployments.filter(({ status }) => status === 'PRIMARY');
    for (const one of service.deployments) {
      one.runningCount = one.desiredCount;
      one.pendingCount = 0;
      one.rolloutState = 'COMPLETED';
    }
    service.runningCount = service.desiredCount;
    rollout.reached(service);
  };
  const update = (service: StandInService, body: Record<string, unknown>) => {
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
    const [asked] = Array.isArray(body.services) ? body.services : [body.service];
    const found = services.get(`${body.cluster}/${asked}`);
    if (action === 'DescribeServices') {
      if (!found) return { json: { services: [], failures: [{ arn: asked, reason: 'MISSING' }] } };
      settle(found);
      return { json: { services: [found], failures: [] } };
    }
    if (!found) return { refusal: { name: 'ServiceNotFoundException', message: 'Service not found.' } };
    update(found, body);
    return { json: { service: found } };
  };
  /** A service that runs `count` tasks, all of them well. */
  const addService = (cluster: string, name: string, count: number): StandInService => {
    const made: StandInService = {
      serviceName: name,
      status: 'ACTIVE',
      desiredCount: count,
      runningCount: count,
      pendingCount: 0,
      deployments: [
        {
          id: 'ecs-svc/1',
          status: 'PRIMARY',
          taskDefinition: `arn:aws:ecs:${place}:task-definition/${name}:7`,
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
    services.set(`${cluster}/${name}`, made);
    return made;
  };
  return { service, services, addService, definitions, rollout };
}

/** A stand-in for Secrets Manager, CloudFormation and ECS, over the protocols that the SDK speaks, in memory. */
export async function startAwsStandIn() {
  const faults: Faults = {};
  const secrets = secretsInMemory();
  const stacks = stacksInMemory();
  const services = servicesInMemory();
  const ecs = ecsInMemory(faults);
  const definitions = definitionsInMemory();
  const http = await startAwsHttp(
    [secrets.service, stacks.service, services.service, ecs.service, definitions.service],
    faults,
  );
  return {
    ...http,
    faults,
    env: awsEnvironment(http.url),
    putSecret: secrets.put,
    secretArn: secrets.arnOf,
    secret: secrets.value,
    stacks: stacks.stacks,
    taskDefinitions: services.definitions,
    addService: services.addService,
    rollout: services.rollout,
    tasks: ecs.tasks,
    startTask: ecs.start,
    /** What was sent with the calls of one action. */
    sent: (action: string) => http.calls.filter((call) => call.action === action).map(({ body }) => body),
  };
}
export type AwsStandIn = Awaited<ReturnType<typeof startAwsStandIn>>;
