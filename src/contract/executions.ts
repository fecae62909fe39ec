import { z } from 'zod';
import { time, wholeNumber } from './common.js';
import { imageReference } from './images.js';
import { defineRoute } from './route.js';
import { secretName, variableName } from './secrets.js';

export const executionStatuses = ['STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'STOPPED', 'TERMINATING'] as const;
export const executionStatus = z.enum(executionStatuses);
export type ExecutionStatus = z.infer<typeof executionStatus>;

export const hasEnded = (status: ExecutionStatus): boolean =>
  status === 'SUCCEEDED' || status === 'FAILED' || status === 'STOPPED';

const executionId = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits');

const gitRepo = z
  .string()
  .max(2048)
  .regex(
    /^((https?|ssh|git|file):\/\/[^\s-]\S*|[\w.-]+@[\w.-]+:[^\s-]\S*)$/,
    'expected the address of a Git repository, for example https://github.com/owner/name',
  )
  .refine((text) => !text.includes('://') || URL.canParse(text), 'expected an address with a valid host and port')
  .refine(
    (text) => /^https?:/.test(text) || !URL.canParse(text) || new URL(text).password === '',
    'expected no password: only addresses with https:// take one',
  );
const gitRef = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9_][\w./+@-]*$/, 'expected a branch, a tag or a commit');
const gitPath = z
  .string()
  .max(1024)
  .refine(
    (path) => !path.startsWith('/') && !path.split(/[/\\]/).includes('..'),
    'expected a path inside the repository',
  );

export const maxTimeoutSeconds = 7 * 86_400;

export const runBody = z
  .strictObject({
    command: z
      .string()
      .regex(/\S/, 'is empty')
      .max(65_536, 'is longer than 65,536 characters')
      .meta({ description: 'Run by a shell (sh -c)', example: 'echo hello' }),
    image: imageReference.optional(),
    imageUri: imageReference.optional().meta({ description: 'An alias of `image`' }),
    env: z.record(variableName, z.string().max(65_536)).optional(),
    timeout: z
      .int('expected whole seconds')
      .min(0, 'expected 0 or more seconds')
      .max(maxTimeoutSeconds, `expected at most ${maxTimeoutSeconds} seconds (seven days)`)
      .optional()
      .meta({ description: 'In seconds; 0 or unset: one day' }),
    secrets: z
      .array(secretName)
      .max(100)
      .optional()
      .meta({ description: 'Names of secrets; each value becomes an environment variable' }),
    git_repo: gitRepo.optional(),
    git_ref: gitRef.optional().meta({ description: 'Branch, tag or commit; unset: the default branch' }),
    git_path: gitPath.optional().meta({ description: 'Directory of the repository in which the command runs' }),
  })
  .superRefine((body, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (body.image !== undefined && body.imageUri !== undefined && body.image !== body.imageUri)
      issue('imageUri', 'differs from `image`: send one of them');
    if (body.git_repo === undefined)
      for (const name of ['git_ref', 'git_path'] as const) if (body[name] !== undefined) issue(name, 'needs git_repo');
    if (Object.keys(body.env ?? {}).length > 500) issue('env', 'expected at most 500 variables');
  });
export type RunBody = z.infer<typeof runBody>;

const started = z.object({
  execution_id: executionId,
  log_url: z.string(),
  status: executionStatus,
  command: z.string(),
  image_id: z.string(),
  websocket_url: z.string().meta({ description: 'Opens one WebSocket, within a minute' }),
});
export type StartedExecution = z.infer<typeof started>;

/** An execution. The environment variables stay out, because a value may be secret. */
export const execution = z
  .object({
    execution_id: executionId,
    created_by: z.string().nullable().meta({ description: 'E-mail address of the account that started the execution' }),
    owned_by: z.array(z.string()),
    command: z.string(),
    image_id: z.string(),
    secrets: z.array(z.string()),
    git_repo: z.string().nullable(),
    git_ref: z.string().nullable(),
    git_path: z.string().nullable(),
    status: executionStatus,
    exit_code: z.int().nullable(),
    started_at: time,
    completed_at: time.nullable(),
    duration_seconds: z.int().nullable(),
    timeout: z.int(),
    task_arn: z.string().nullable(),
    created_by_request_id: z.string(),
    modified_by_request_id: z.string(),
    compute_platform: z.string(),
  })
  .meta({ id: 'Execution' });
export type Execution = z.infer<typeof execution>;

const executionState = z.object({
  execution_id: executionId,
  status: executionStatus,
  command: z.string(),
  image_id: z.string(),
  started_at: time,
  exit_code: z.int().nullable(),
  completed_at: time.optional(),
});
export type ExecutionState = z.infer<typeof executionState>;

export const logEvent = z
  .object({
    event_id: z.string(),
    timestamp: z.int().meta({ description: 'Milliseconds since 1970' }),
    message: z.string(),
  })
  .meta({ id: 'LogEvent' });
export type LogEvent = z.infer<typeof logEvent>;

const executionLogs = z.object({
  execution_id: executionId,
  status: executionStatus,
  events: z.array(logEvent).nullable().meta({ description: 'In time order; null while the execution runs' }),
  websocket_url: z
    .string()
    .optional()
    .meta({ description: 'While the execution runs: opens one WebSocket, within a minute' }),
});
export type ExecutionLogs = z.infer<typeof executionLogs>;

/** A message of the WebSocket to a subscriber of logs. */
export type LogMessage = ({ type: 'log' } & LogEvent) | { type: 'disconnect'; reason: DisconnectReason };
export type DisconnectReason = 'execution_completed' | 'slow_consumer' | 'server_stopping';

const params = z.strictObject({ id: executionId });
const tag = 'Orchestrator';

export const executionRoutes = {
  run: defineRoute({
    method: 'post',
    path: '/api/v1/run',
    tag,
    summary: 'Run a command in a container',
    access: 'executions:run',
    body: runBody,
    responses: { 202: { description: 'The execution starts', body: started } },
  }),
  list: defineRoute({
    method: 'get',
    path: '/api/v1/executions',
    tag,
    summary: 'List executions, newest first',
    access: 'executions:list',
    query: z.strictObject({
      limit: wholeNumber(0, 1_000_000).default(10).meta({ description: '0 returns every execution' }),
      status: z
        .string()
        .max(200)
        .transform((text) => text.split(',').map((status) => status.trim().toUpperCase()))
        .pipe(z.array(z.enum(executionStatuses, `expected one of ${executionStatuses.join(', ')}`)))
        .optional()
        .meta({ description: 'Comma-separated' }),
    }),
    responses: { 200: { description: 'The executions', body: z.array(execution) } },
  }),
  status: defineRoute({
    method: 'get',
    path: '/api/v1/executions/:id/status',
    tag,
    summary: 'Get the status of an execution',
    access: 'executions:own',
    params,
    responses: { 200: { description: 'The status', body: executionState } },
  }),
  logs: defineRoute({
    method: 'get',
    path: '/api/v1/executions/:id/logs',
    tag,
    summary: 'Get the log of an ended execution, or the WebSocket URL of a running execution',
    access: 'executions:own',
    params,
    responses: { 200: { description: 'The log events, or the WebSocket URL', body: executionLogs } },
  }),
  kill: defineRoute({
    method: 'delete',
    path: '/api/v1/executions/:id',
    tag,
    summary: 'Stop an execution',
    access: 'executions:own',
    params,
    responses: {
      200: {
        description: 'The execution is being stopped',
        body: z.object({ execution_id: executionId, message: z.string() }),
      },
      204: { description: 'The execution had ended already' },
    },
  }),
};
