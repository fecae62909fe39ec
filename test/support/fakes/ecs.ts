import { type AwsAnswer, type AwsService, type HttpFaults, startAwsHttp } from './aws-http.js';
import { definitionsInMemory, logsInMemory } from './ecs-definitions.js';

interface StandInTask {
  taskArn: string;
  taskDefinitionArn: string;
  lastStatus: string;
  startedBy: string | undefined;
  launchType: string;
  listed: boolean;
}

interface RunTaskBody {
  cluster: string;
  taskDefinition: string;
  count: number;
  clientToken: string;
  startedBy?: string;
  launchType?: string;
  capacityProviderStrategy?: { capacityProvider: string }[];
  networkConfiguration: {
    awsvpcConfiguration: { subnets: string[]; securityGroups: string[]; assignPublicIp: string };
  };
}

/** How the stand-in may misbehave; each is asked at every call of its action. */
export interface Faults extends HttpFaults {
  /** Tasks that RunTask does not start, with the reason. */
  fail?: (body: RunTaskBody) => { count: number; reason: string } | undefined;
  /** Launched tasks are listed only when `list` says so. */
  listsLate?: boolean;
}

/** A stand-in for tasks of ECS and for EC2's DescribeSubnets, in memory. */
export function ecsInMemory(faults: Faults) {
  const tasks = new Map<string, StandInTask>();
  const byToken = new Map<string, { body: string; tasks: StandInTask[] }>();
  const subnets = ['subnet-a', 'subnet-b', 'subnet-c'];
  let made = 0;

  const start = (taskDefinition: string, startedBy?: string, launchType = 'FARGATE', listed = true): StandInTask => {
    made += 1;
    const family = taskDefinition.replace(/^.*\//, '');
    const task = {
      taskArn: `arn:aws:ecs:ap-southeast-2:123456789012:task/reef/${made}`,
      taskDefinitionArn: `arn:aws:ecs:ap-southeast-2:123456789012:task-definition/${family.includes(':') ? family : `${family}:1`}`,
      lastStatus: 'PROVISIONING',
      startedBy,
      launchType,
      listed,
    };
    tasks.set(task.taskArn, task);
    return task;
  };

  const runTask = (body: RunTaskBody): AwsAnswer => {
    const before = byToken.get(body.clientToken);
    if (before && before.body !== JSON.stringify(body)) {
      const resourceIds = before.tasks.map(({ taskArn }) => taskArn);
      return { refusal: { name: 'ConflictException', message: 'token in use', resourceIds } };
    }
    if (before) return { json: { tasks: before.tasks, failures: [] } };
    const failing = faults.fail?.(body);
    const count = body.count - Math.min(body.count, failing?.count ?? 0);
    const launchType = body.launchType ?? body.capacityProviderStrategy?.[0]?.capacityProvider ?? '';
    const started = Array.from({ length: count }, () =>
      start(body.taskDefinition, body.startedBy, launchType, !faults.listsLate),
    );
    byToken.set(body.clientToken, { body: JSON.stringify(body), tasks: started });
    const failures = failing ? Array.from({ length: failing.count }, () => ({ reason: failing.reason })) : [];
    return { json: { tasks: started, failures } };
  };

  const listTasks = ({ nextToken, maxResults = 100 }: { nextToken?: string; maxResults?: number }): AwsAnswer => {
    const arns = [...tasks.values()]
      .filter(({ lastStatus, listed }) => listed && lastStatus !== 'STOPPED')
      .map(({ taskArn }) => taskArn);
    const from = Number(nextToken ?? 0);
    const to = from + maxResults;
    return { json: { taskArns: arns.slice(from, to), ...(to < arns.length ? { nextToken: String(to) } : {}) } };
  };

  const describeTasks = ({ tasks: asked }: { tasks: string[] }): AwsAnswer =>
    asked.length > 100
      ? { refusal: { name: 'InvalidParameterException', message: 'over 100' } }
      : {
          json: {
            tasks: asked.flatMap((arn) => tasks.get(arn) ?? []),
            failures: asked.flatMap((arn) => (tasks.has(arn) ? [] : { arn, reason: 'MISSING' })),
          },
        };

  const stopTask = ({ task: arn }: Record<string, unknown>): AwsAnswer => {
    const task = tasks.get(String(arn));
    const message = 'The referenced task was not found.';
    if (!task) return { refusal: { name: 'InvalidParameterException', message } };
    task.lastStatus = 'STOPPED';
    return { json: { task } };
  };

  const describeSubnets = (): AwsAnswer => {
    const items = subnets.map((id) => `<item><subnetId>${id}</subnetId></item>`).join('');
    return { xml: `<DescribeSubnetsResponse><subnetSet>${items}</subnetSet></DescribeSubnetsResponse>` };
  };

  const service: AwsService = (action, body) => {
    // The SDK sends what these types say.
    if (action === 'RunTask') return runTask(body as unknown as RunTaskBody);
    if (action === 'ListTasks') return listTasks(body);
    if (action === 'DescribeTasks') return describeTasks(body as { tasks: string[] });
    if (action === 'StopTask') return stopTask(body);
    return action === 'DescribeSubnets' ? describeSubnets() : undefined;
  };
  return { service, tasks, subnets, start };
}

/** A stand-in for ECS, for logs of its tasks and for EC2's DescribeSubnets, over the protocols that the SDK speaks, in memory. */
export async function startEcsStandIn() {
  const faults: Faults = {};
  const { service, tasks, subnets, start } = ecsInMemory(faults);
  const { service: definitionService, definitions } = definitionsInMemory();
  const { service: logService, streams } = logsInMemory('executions');
  const http = await startAwsHttp([service, definitionService, logService], faults);
  return {
    ...http,
    tasks,
    faults,
    subnets,
    definitions,
    /** Of the log group `executions`. */
    streams,
    /** Starts a task as a person would, by hand. */
    start,
  };
}
export type EcsStandIn = Awaited<ReturnType<typeof startEcsStandIn>>;
