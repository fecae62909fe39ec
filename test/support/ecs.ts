import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

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
export interface Faults {
  /** Answered instead, before anything happens: an error's name and HTTP status. */
  refuse?: (action: string) => { name: string; status?: number; message?: string; resourceIds?: string[] } | undefined;
  /** Tasks that RunTask does not start, with the reason. */
  fail?: (body: RunTaskBody) => { count: number; reason: string } | undefined;
  /** Launches, and then never answers. */
  hang?: (action: string) => boolean;
  /** Launched tasks are listed only when `list` says so. */
  listsLate?: boolean;
}

/** A stand-in for ECS and for EC2's DescribeSubnets, over the protocols that the SDK speaks, in memory. */
export async function startEcsStandIn() {
  const tasks = new Map<string, StandInTask>();
  const byToken = new Map<string, { body: string; tasks: StandInTask[] }>();
  const calls: { action: string; body: Record<string, unknown> }[] = [];
  const faults: Faults = {};
  const subnets = ['subnet-a', 'subnet-b', 'subnet-c'];
  const open = new Set<ServerResponse>();
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

  const runTask = (body: RunTaskBody) => {
    const before = byToken.get(body.clientToken);
    if (before && before.body !== JSON.stringify(body)) {
      return { conflict: before.tasks.map(({ taskArn }) => taskArn) };
    }
    if (before) return { tasks: before.tasks, failures: [] };
    const failing = faults.fail?.(body);
    const count = body.count - Math.min(body.count, failing?.count ?? 0);
    const launchType = body.launchType ?? body.capacityProviderStrategy?.[0]?.capacityProvider ?? '';
    const started = Array.from({ length: count }, () =>
      start(body.taskDefinition, body.startedBy, launchType, !faults.listsLate),
    );
    byToken.set(body.clientToken, { body: JSON.stringify(body), tasks: started });
    const failures = failing ? Array.from({ length: failing.count }, () => ({ reason: failing.reason })) : [];
    return { tasks: started, failures };
  };

  const listTasks = ({ nextToken, maxResults = 100 }: { nextToken?: string; maxResults?: number }) => {
    const arns = [...tasks.values()]
      .filter(({ lastStatus, listed }) => listed && lastStatus !== 'STOPPED')
      .map(({ taskArn }) => taskArn);
    const from = Number(nextToken ?? 0);
    const to = from + maxResults;
    return { taskArns: arns.slice(from, to), ...(to < arns.length ? { nextToken: String(to) } : {}) };
  };

  const answer = (action: string, body: Record<string, never>): { status: number; body: unknown } => {
    if (action === 'RunTask') {
      const { conflict, ...launched } = runTask(body as unknown as RunTaskBody);
      if (!conflict) return { status: 200, body: launched };
      return { status: 400, body: { __type: 'ConflictException', message: 'token in use', resourceIds: conflict } };
    }
    if (action === 'ListTasks') return { status: 200, body: listTasks(body) };
    const asked = (body as unknown as { tasks: string[] }).tasks;
    if (asked.length > 100) return { status: 400, body: { __type: 'InvalidParameterException', message: 'over 100' } };
    return { status: 200, body: { tasks: asked.flatMap((arn) => tasks.get(arn) ?? []), failures: [] } };
  };

  const server = createServer(async (request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    const sent = await text(request);
    const target = request.headers['x-amz-target'];
    const action = target
      ? String(target).replace(/^.*\./, '')
      : (new URLSearchParams(sent).get('Action') ?? String(request.url));
    calls.push({ action, body: target ? JSON.parse(sent) : Object.fromEntries(new URLSearchParams(sent)) });
    const refused = faults.refuse?.(action);
    if (refused) {
      const { name, status = 400, message = name, resourceIds } = refused;
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: name, message, resourceIds }));
      return;
    }
    if (action === 'DescribeSubnets') {
      response.writeHead(200, { 'content-type': 'text/xml' });
      const items = subnets.map((id) => `<item><subnetId>${id}</subnetId></item>`).join('');
      response.end(`<DescribeSubnetsResponse><subnetSet>${items}</subnetSet></DescribeSubnetsResponse>`);
      return;
    }
    const { status, body } = answer(action, JSON.parse(sent));
    if (faults.hang?.(action)) return;
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    tasks,
    calls,
    faults,
    subnets,
    /** Starts a task as a person would, by hand. */
    start,
    count: (action: string) => calls.filter((call) => call.action === action).length,
    async close() {
      for (const response of open) response.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
export type EcsStandIn = Awaited<ReturnType<typeof startEcsStandIn>>;
