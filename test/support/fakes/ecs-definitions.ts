import type { AwsAnswer, AwsService } from './aws-http.js';

interface FakeTaskDefinition extends Record<string, unknown> {
  taskDefinitionArn: string;
  family: string;
  revision: number;
  status: 'ACTIVE' | 'INACTIVE';
  containerDefinitions: Record<string, unknown>[];
}

const regionAndAccount = 'ap-southeast-2:123456789012';
const unknown: AwsAnswer = { refusal: { name: 'ClientException', message: 'Unable to describe task definition.' } };

/** Task definitions of ECS in memory: families with revisions. Adds default fields, as ECS does. */
export function makeTaskDefinitions() {
  const definitions: FakeTaskDefinition[] = [];

  const find = (name: string) => {
    const short = name.replace(/^.*task-definition\//, '');
    const ofFamily = definitions.filter(({ family, status }) => family === short && status === 'ACTIVE');
    return definitions.find(({ family, revision }) => `${family}:${revision}` === short) ?? ofFamily.at(-1);
  };

  const register = (body: Record<string, unknown>): AwsAnswer => {
    const family = String(body.family);
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(family))
      return { refusal: { name: 'ClientException', message: 'Family contains invalid characters' } };
    const revision = definitions.filter((definition) => definition.family === family).length + 1;
    const containers = Array.isArray(body.containerDefinitions) ? body.containerDefinitions : [];
    const definition: FakeTaskDefinition = {
      ...body,
      taskDefinitionArn: `arn:aws:ecs:${regionAndAccount}:task-definition/${family}:${revision}`,
      family,
      revision,
      status: 'ACTIVE',
      volumes: (Array.isArray(body.volumes) ? body.volumes : []).map((volume) => ({ ...volume, host: {} })),
      compatibilities: ['EC2', 'FARGATE'],
      containerDefinitions: containers.map((container) => ({
        cpu: 0,
        portMappings: [],
        environment: [],
        ...container,
      })),
    };
    definitions.push(definition);
    return { json: { taskDefinition: definition } };
  };

  /** Returns pages of two. */
  const list = ({ familyPrefix, status, nextToken }: Record<string, unknown>): AwsAnswer => {
    const inFamily = definitions.filter(
      (definition) => definition.family === familyPrefix && definition.status === (status ?? 'ACTIVE'),
    );
    const from = Number(nextToken ?? 0);
    const taskDefinitionArns = inFamily.slice(from, from + 2).map(({ taskDefinitionArn }) => taskDefinitionArn);
    return { json: { taskDefinitionArns, ...(from + 2 < inFamily.length ? { nextToken: String(from + 2) } : {}) } };
  };

  const service: AwsService = (action, body) => {
    if (action === 'RegisterTaskDefinition') return register(body);
    if (action === 'ListTaskDefinitions') return list(body);
    if (action !== 'DescribeTaskDefinition' && action !== 'DeregisterTaskDefinition') return undefined;
    const definition = find(String(body.taskDefinition));
    if (!definition) return unknown;
    if (action === 'DeregisterTaskDefinition') definition.status = 'INACTIVE';
    return { json: { taskDefinition: definition } };
  };
  return { service, definitions };
}

interface FakeLogEvent {
  timestamp: number;
  message: string;
}

/** Log streams of one log group in memory; FilterLogEvents returns pages of two events. */
export function makeLogStreams(logGroup: string) {
  const streams = new Map<string, FakeLogEvent[]>();
  const missing = (what: string): AwsAnswer => ({
    refusal: { name: 'ResourceNotFoundException', message: `The specified log ${what} does not exist.` },
  });
  const service: AwsService = (action, { logGroupName, logStreamNames, nextToken }) => {
    if (action !== 'FilterLogEvents') return undefined;
    if (logGroupName !== logGroup) return missing('group');
    const names: string[] = Array.isArray(logStreamNames) ? logStreamNames : [...streams.keys()];
    if (names.some((name) => !streams.has(name))) return missing('stream');
    const events = names
      .flatMap((logStreamName) =>
        (streams.get(logStreamName) ?? []).map((line, n) => ({
          ...line,
          logStreamName,
          eventId: `${logStreamName}#${n}`,
        })),
      )
      .sort((a, b) => a.timestamp - b.timestamp);
    const from = Number(nextToken ?? 0);
    return {
      json: {
        events: events.slice(from, from + 2),
        ...(from + 2 < events.length ? { nextToken: String(from + 2) } : {}),
      },
    };
  };
  return { service, streams };
}
