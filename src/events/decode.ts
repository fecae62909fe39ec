import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/** A line of a log, as it was announced. */
export interface LoggedLine {
  id: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  message: string;
}

/** A task by its ARN's last part, and by what it was started for, if that was said. */
export interface TaskName {
  arn: string;
  id: string;
  startedBy: string | undefined;
}

/** An event in our own words. */
export type ProcessorEvent =
  | { kind: 'task_running'; task: TaskName }
  | { kind: 'task_stopped'; task: TaskName; exitCode: number | undefined; reason: string }
  | { kind: 'task_changed'; task: TaskName; lastStatus: string }
  | { kind: 'lines'; taskId: string; lines: LoggedLine[] }
  | { kind: 'socket_opened'; connectionId: string; endpoint: string; token: string; after: string | undefined }
  | { kind: 'socket_spoke'; connectionId: string }
  | { kind: 'socket_closed'; connectionId: string }
  | { kind: 'schedule' }
  | { kind: 'test' };

const name = z.string().min(1).max(2048);
const container = z.object({
  name: z.string().optional(),
  exitCode: z.int().optional(),
  reason: z.string().optional(),
});
const taskChange = z
  .object({
    'detail-type': z.literal('ECS Task State Change'),
    detail: z.object({
      taskArn: name,
      lastStatus: z.string().max(100),
      startedBy: z.string().max(256).optional(),
      stoppedReason: z.string().optional(),
      stopCode: z.string().optional(),
      containers: z.array(container).max(100).optional(),
    }),
  })
  .transform(({ detail }): ProcessorEvent => {
    const { taskArn, lastStatus, startedBy } = detail;
    const task = { arn: taskArn, id: taskArn.slice(taskArn.lastIndexOf('/') + 1), startedBy };
    if (lastStatus === 'RUNNING') return { kind: 'task_running', task };
    if (lastStatus !== 'STOPPED') return { kind: 'task_changed', task, lastStatus };
    return { kind: 'task_stopped', task, exitCode: exitCodeOf(detail.containers ?? []), reason: reasonOf(detail) };
  });

/** Of the container that runs the command; where it never ran, of the one that kept it from running. */
function exitCodeOf(containers: readonly z.infer<typeof container>[]): number | undefined {
  const main = containers.find((one) => one.name === 'main') ?? (containers.length === 1 ? containers[0] : undefined);
  return main?.exitCode ?? containers.find(({ exitCode = 0 }) => exitCode !== 0)?.exitCode;
}

function reasonOf(detail: {
  stoppedReason?: string | undefined;
  stopCode?: string | undefined;
  containers?: readonly z.infer<typeof container>[] | undefined;
}): string {
  const reason = detail.stoppedReason ?? detail.stopCode ?? 'no reason given';
  const ofContainer = detail.containers?.find((one) => one.reason)?.reason;
  return ofContainer === undefined ? reason : `${reason} (${ofContainer})`;
}

const schedule = z
  .object({ 'detail-type': z.literal('Scheduled Event') })
  .transform((): ProcessorEvent => ({ kind: 'schedule' }));

/** What one batch of a log may unpack to. */
const maxUnpackedBytes = 64 * 1024 * 1024;
const logBatch = z.discriminatedUnion('messageType', [
  z.object({
    messageType: z.literal('DATA_MESSAGE'),
    logStream: name,
    logEvents: z
      .array(z.object({ id: z.string().min(1).max(256), timestamp: z.int().min(0), message: z.string() }))
      .max(20_000),
  }),
  z.object({ messageType: z.literal('CONTROL_MESSAGE') }),
]);
const subscription = z
  .object({ awslogs: z.object({ data: z.string() }) })
  .transform(({ awslogs }, context): ProcessorEvent => {
    const parsed = logBatch.safeParse(unpack(awslogs.data));
    if (!parsed.success) {
      context.addIssue({ code: 'custom', message: 'no batch of a log' });
      return z.NEVER;
    }
    const batch = parsed.data;
    if (batch.messageType === 'CONTROL_MESSAGE') return { kind: 'test' };
    // A stream is `prefix/container/task`.
    return {
      kind: 'lines',
      taskId: batch.logStream.slice(batch.logStream.lastIndexOf('/') + 1),
      lines: batch.logEvents,
    };
  });

function unpack(data: string): unknown {
  try {
    return JSON.parse(gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: maxUnpackedBytes }).toString('utf8'));
  } catch {
    return undefined;
  }
}

const socket = z
  .object({
    requestContext: z.object({
      routeKey: z.string().min(1).max(256),
      connectionId: z.string().min(1).max(256),
      domainName: z
        .string()
        .regex(/^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/)
        .optional(),
      stage: z
        .string()
        .regex(/^[\w$-]{1,128}$/)
        .optional(),
    }),
    queryStringParameters: z.record(z.string(), z.string().max(1024).optional()).nullish(),
  })
  .transform(({ requestContext, queryStringParameters: query }): ProcessorEvent => {
    const { routeKey, connectionId, domainName = 'localhost', stage = '' } = requestContext;
    if (routeKey === '$disconnect') return { kind: 'socket_closed', connectionId };
    if (routeKey !== '$connect') return { kind: 'socket_spoke', connectionId };
    const endpoint = `https://${domainName}/${stage}`;
    return { kind: 'socket_opened', connectionId, endpoint, token: query?.token ?? '', after: query?.last_event_id };
  });

/** What AWS (or the local compute adapter, in the same words) sent; undefined when it is no event we know. */
export function decodeEvent(raw: unknown): ProcessorEvent | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  if ('awslogs' in raw) return subscription.safeParse(raw).data;
  if ('requestContext' in raw) return socket.safeParse(raw).data;
  return taskChange.safeParse(raw).data ?? schedule.safeParse(raw).data;
}
