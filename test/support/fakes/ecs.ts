import { type AwsAnswer, type AwsService, type HttpFaults, startAwsHttp } from './aws-http.js';
import { makeLogStreams, makeTaskDefinitions } from './ecs-definitions.js';

interface FakeTask {
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

/** Faults of the fake; each function is called at every call of its action. */
export interface Faults extends HttpFaults {
  /** Returns the number of tasks that RunTask does not start, and the reason. */
  fail?: (body: RunTaskBody) => { count: number; reason: string } | undefined;
  /** True: ListTasks does not list launched tasks. */
  listsLate?: boolean;
}

/** Tasks of ECS, and DescribeSubnets of EC2, in memory. */
export function makeTasks(faults: Faults) {
  const tasks = new Map<string, FakeTask>();
  const byToken = new Map<string, { body: string; tasks: FakeTask[] }>();
  const subnets = ['subnet-a', 'subnet-b', 'subnet-c'];
  let startedCount = 0;

  const start = (taskDefinition: string, startedBy?: string, launchType = 'FARGATE', listed = true): FakeTask => {
    startedCount += 1;
    const family = taskDefinition.replace(/^.*\//, '');
    const task = {
      taskArn: `arn:aws:ecs:ap-southeast-2:123456789012:task/reef/${startedCount}`,
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
    const earlier = byToken.get(body.clientToken);
    if (earlier && earlier.body !== JSON.stringify(body)) {
      const resourceIds = earlier.tasks.map(({ taskArn }) => taskArn);
      return { refusal: { name: 'ConflictException', message: 'token in use', resourceIds } };
    }
    if (earlier) return { json: { tasks: earlier.tasks, failures: [] } };
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

  const describeTasks = ({ tasks: requested }: { tasks: string[] }): AwsAnswer =>
    requested.length > 100
      ? { refusal: { name: 'InvalidParameterException', message: 'over 100' } }
      : {
          json: {
            tasks: requested.flatMap((arn) => tasks.get(arn) ?? []),
            failures: requested.flatMap((arn) => (tasks.has(arn) ? [] : { arn, reason: 'MISSING' })),
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

/** Starts a fake of ECS, of the logs of its tasks and of EC2's DescribeSubnets, which speaks the protocols of the SDK. */
export async function startFakeEcs() {
  const faults: Faults = {};
  const { service, tasks, subnets, start } = makeTasks(faults);
  const { service: definitionService, definitions } = makeTaskDefinitions();
  const { service: logService, streams } = makeLogStreams('executions');
  const http = await startAwsHttp([service, definitionService, logService], faults);
  return {
    ...http,
    tasks,
    faults,
    subnets,
    definitions,
    /** Log streams of the log group `executions`. */
    streams,
    /** Starts a task by hand, not by RunTask. */
    start,
  };
}
export type FakeEcs = Awaited<ReturnType<typeof startFakeEcs>>;
