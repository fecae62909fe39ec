import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const loggedLine = z.object({ id: z.string().min(1).max(256), timestamp: z.int().min(0), message: z.string() });
/** Line of a log as CloudWatch Logs delivers it, with the same id at each delivery. */
export type LoggedLine = z.infer<typeof loggedLine>;

export interface EventTask {
  arn: string;
  /** Last part of the ARN. */
  id: string;
  /** Text from the launch of the task; for a task of an execution the id of the execution. */
  startedBy: string | undefined;
}

/** Event in the words of the project, whatever the source is. */
export type ProcessorEvent =
  | { kind: 'task_running'; task: EventTask }
  | { kind: 'task_stopped'; task: EventTask; exitCode: number | undefined; reason: string }
  | { kind: 'task_changed'; task: EventTask; lastStatus: string }
  | { kind: 'lines'; taskId: string; lines: LoggedLine[] }
  | { kind: 'log_subscription_test' }
  | SocketOpened
  | { kind: 'socket_message'; connectionId: string }
  | { kind: 'socket_closed'; connectionId: string }
  | { kind: 'schedule' };

export interface SocketOpened {
  kind: 'socket_opened';
  connectionId: string;
  /** Address of the gateway's management API: `https://abc.execute-api.eu-west-1.amazonaws.com/production`. */
  endpoint: string;
  token: string;
  /** Id of the last line of the subscriber. */
  after: string | undefined;
}

/** Reads events of AWS, or of the local compute adapter in the same format. Returns undefined for anything else. */
export function decodeEvent(raw: unknown): ProcessorEvent | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  if ('awslogs' in raw) return logSubscription.safeParse(raw).data;
  if ('requestContext' in raw) return socketEvent.safeParse(raw).data;
  return taskChange.safeParse(raw).data ?? schedule.safeParse(raw).data;
}

const name = z.string().min(1).max(2048);
const text = z.string().optional();
const container = z.object({ name: text, exitCode: z.int().optional(), reason: text });
type Container = z.infer<typeof container>;

const taskDetail = z.object({
  taskArn: name,
  lastStatus: z.string().max(100),
  startedBy: z.string().max(256).optional(),
  stoppedReason: text,
  stopCode: text,
  containers: z.array(container).max(100).default([]),
});
const taskChange = z
  .object({ 'detail-type': z.literal('ECS Task State Change'), detail: taskDetail })
  .transform(({ detail }): ProcessorEvent => {
    const { taskArn, lastStatus, startedBy } = detail;
    const task = { arn: taskArn, id: getLastPart(taskArn), startedBy };
    if (lastStatus === 'RUNNING') return { kind: 'task_running', task };
    if (lastStatus !== 'STOPPED') return { kind: 'task_changed', task, lastStatus };
    return { kind: 'task_stopped', task, exitCode: getExitCode(detail.containers), reason: describeReason(detail) };
  });

/** Returns the exit code of the container `main`; of a failed container when `main` never ran. */
function getExitCode(containers: readonly Container[]): number | undefined {
  const main = containers.find((each) => each.name === 'main') ?? (containers.length === 1 ? containers[0] : undefined);
  return main?.exitCode ?? containers.find(({ exitCode = 0 }) => exitCode !== 0)?.exitCode;
}

/** Returns for example `Task failed to start (CannotPullContainerError: not found)`. */
function describeReason({ stoppedReason, stopCode, containers }: z.infer<typeof taskDetail>): string {
  const reason = stoppedReason ?? stopCode ?? 'no reason given';
  const containerReason = containers.find((each) => each.reason)?.reason;
  return containerReason === undefined ? reason : `${reason} (${containerReason})`;
}

const schedule = z
  .object({ 'detail-type': z.literal('Scheduled Event') })
  .transform((): ProcessorEvent => ({ kind: 'schedule' }));

const maxUnpackedBytes = 64 * 1024 * 1024;
const logBatch = z.discriminatedUnion('messageType', [
  z.object({
    messageType: z.literal('DATA_MESSAGE'),
    /** `prefix/container/task`, for example `execution/main/0f3c`. */
    logStream: name,
    logEvents: z.array(loggedLine).max(20_000),
  }),
  z.object({ messageType: z.literal('CONTROL_MESSAGE') }),
]);
const logSubscription = z
  .object({ awslogs: z.object({ data: z.string() }) })
  .transform(({ awslogs }, context): ProcessorEvent => {
    const batch = logBatch.safeParse(unpack(awslogs.data)).data;
    if (!batch) {
      context.addIssue({ code: 'custom', message: 'Invalid batch of log lines' });
      return z.NEVER;
    }
    if (batch.messageType === 'CONTROL_MESSAGE') return { kind: 'log_subscription_test' };
    return { kind: 'lines', taskId: getLastPart(batch.logStream), lines: batch.logEvents };
  });

/** Returns the JSON in base64 of gzip; undefined when the data are malformed or too large. */
function unpack(data: string): unknown {
  try {
    return JSON.parse(gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: maxUnpackedBytes }).toString('utf8'));
  } catch {
    return undefined;
  }
}

const getLastPart = (path: string) => path.slice(path.lastIndexOf('/') + 1);

const socketEvent = z
  .object({
    requestContext: z.object({
      routeKey: z.string().min(1).max(256),
      connectionId: z.string().min(1).max(256),
      domainName: z.optional(z.string().regex(/^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/)),
      stage: z.optional(z.string().regex(/^[\w$-]{1,128}$/)),
    }),
    queryStringParameters: z.record(z.string(), z.string().max(1024).optional()).nullish(),
  })
  .transform(({ requestContext, queryStringParameters: query }): ProcessorEvent => {
    const { routeKey, connectionId, domainName = 'localhost', stage = '' } = requestContext;
    if (routeKey === '$disconnect') return { kind: 'socket_closed', connectionId };
    if (routeKey !== '$connect') return { kind: 'socket_message', connectionId };
    const endpoint = `https://${domainName}/${stage}`;
    return { kind: 'socket_opened', connectionId, endpoint, token: query?.token ?? '', after: query?.last_event_id };
  });
