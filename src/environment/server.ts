import { z } from 'zod';
import { SetupError } from '../contract/errors.js';
import { logLevels } from '../platform/log-levels.js';
import { withOlderNames } from './runvoy-names.js';

const seconds = (fallback: number) => z.coerce.number().positive().default(fallback);
const account = { username: z.string().min(1).optional(), password: z.string().min(8).optional() };

/** A comma-separated list. */
const names = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((name) => name !== ''));

const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'expected a postgresql:// URL')
  .optional();

/** Which database; unset: the embedded one. `DIRECT_URL` leads past a pooler, for migrations and LISTEN. */
export const databaseEnvironment = z.object({ DATABASE_URL: postgresUrl, DIRECT_URL: postgresUrl });

/** What the API reads from its environment. An empty variable counts as unset. */
const serverVariables = databaseEnvironment
  .extend({
    NODE_ENV: z.string().default('development'),
    DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(12),
    LOG_LEVEL: z.enum(logLevels).default('info'),
    SENTRY_DSN: z.url().optional(),
    PUBLIC_API_URL: z.url().optional(),
    ALLOWED_ORIGINS: z.string().default(''),
    TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
    JWT_PRIVATE_KEY: z.string().optional(),
    JWT_PUBLIC_KEY: z.string().optional(),
    JWT_KEY_ID: z.string().optional(),
    /** Of the last rotation: accepted and published until they are removed. */
    JWT_PREVIOUS_PUBLIC_KEY: z.string().optional(),
    JWT_PREVIOUS_KEY_ID: z.string().optional(),
    JWT_ISSUER: z.string().default('reefguide'),
    JWT_EXPIRES_IN: seconds(3600),
    REFRESH_TOKEN_EXPIRES_IN: seconds(48 * 3600),
    HEARTBEAT_TIMEOUT_SECONDS: seconds(60),
    SWEEP_INTERVAL_SECONDS: seconds(2),
    S3_BUCKET_NAME: z.string().optional(),
    S3_ENDPOINT: z.url().optional(),
    /** The service that /api/admin shows, scales and redeploys. */
    ECS_CLUSTER_NAME: z.string().optional(),
    ECS_SERVICE_NAME: z.string().optional(),
    AWS_REGION: z.string().default('ap-southeast-2'),
    URL_SIGNING_KEY: z.string().min(32).optional(),
    /** Encrypts secrets; after a rotation the key before it, until everything is encrypted anew. */
    SECRETS_KEY: z.string().min(32).optional(),
    SECRETS_PREVIOUS_KEY: z.string().min(32).optional(),
    /** Where commands run on ECS; unset: on this machine. */
    EXECUTION_CLUSTER: z.string().optional(),
    EXECUTION_SECURITY_GROUP: z.string().optional(),
    EXECUTION_SUBNETS: names,
    EXECUTION_LOG_GROUP: z.string().optional(),
    EXECUTION_FAMILY_PREFIX: z.string().default('reefguide-execution'),
    /** Roles of images that name none: for ECS itself, and for the command. */
    EXECUTION_ROLE_ARN: z.string().optional(),
    EXECUTION_TASK_ROLE_ARN: z.string().optional(),
    EXECUTION_GIT_IMAGE: z.string().default('alpine/git:2.45.2'),
    /** Where commands run on one machine: in containers of the engine that answers, or on the machine itself. */
    EXECUTION_ENGINE: z.enum(['auto', 'docker', 'podman', 'none']).default('auto'),
    /** The image of a deployment that has none registered. */
    EXECUTION_IMAGE: z.string().default('ubuntu:24.04'),
    EXECUTION_CPU: z.coerce.number().int().positive().default(256),
    EXECUTION_MEMORY: z.coerce.number().int().positive().default(512),
    /** What an execution printed is kept for so long after its end; 0: for ever. */
    EXECUTION_LOG_DAYS: z.coerce.number().int().min(0).max(10_000).default(90),
    /** Unset: the server itself streams logs. */
    WEBSOCKET_API_ENDPOINT: z.url({ protocol: /^wss?$/ }).optional(),
    /** Groups of CloudWatch Logs that hold our own log, comma-separated; unset: lines are kept in Postgres, too. */
    LOG_GROUP_NAMES: names,
    /** Requests that wait are answered after so long at the latest; 0: when they asked for. */
    REQUEST_TIMEOUT_SECONDS: z.coerce.number().min(0).max(3600).default(0),
    RUNVOY_EXECUTIONS_TABLE: z.string().optional(),
    RUNVOY_WEBSOCKET_CONNECTIONS_TABLE: z.string().optional(),
    PROCESSOR_TOKEN: z.string().min(16).optional(),
    ADMIN_USERNAME: account.username,
    ADMIN_PASSWORD: account.password,
    MANAGER_USERNAME: account.username,
    MANAGER_PASSWORD: account.password,
    WORKER_USERNAME: account.username,
    WORKER_PASSWORD: account.password,
  })
  .superRefine(
    (env, context) => {
      for (const role of ['ADMIN', 'MANAGER', 'WORKER'] as const) {
        if (Boolean(env[`${role}_USERNAME`]) !== Boolean(env[`${role}_PASSWORD`])) {
          context.addIssue({
            code: 'custom',
            path: [`${role}_PASSWORD`],
            message: `set both ${role}_USERNAME and ${role}_PASSWORD, or neither`,
          });
        }
      }
      for (const name of ['EXECUTION_SECURITY_GROUP', 'EXECUTION_SUBNETS', 'EXECUTION_LOG_GROUP'] as const) {
        if (env.EXECUTION_CLUSTER && !env[name]?.length)
          context.addIssue({ code: 'custom', path: [name], message: 'is needed with EXECUTION_CLUSTER' });
      }
      if (Boolean(env.JWT_PREVIOUS_PUBLIC_KEY) !== Boolean(env.JWT_PREVIOUS_KEY_ID)) {
        context.addIssue({
          code: 'custom',
          path: ['JWT_PREVIOUS_KEY_ID'],
          message: 'set both JWT_PREVIOUS_PUBLIC_KEY and JWT_PREVIOUS_KEY_ID, or neither',
        });
      }
    },
    // Also when other variables are wrong: all problems are reported together.
    { when: () => true },
  );
/** Variables of the older server count under our names. */
export const serverEnvironment = z.preprocess(withOlderNames, serverVariables);
export type ServerEnvironment = z.infer<typeof serverEnvironment>;

/** An empty variable counts as unset. */
export const setVariablesOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value ? [[name, value]] : [])));

/** Problems of variables, each `NAME: what was expected`, as one error. */
export const unusableEnvironment = (problems: readonly string[]) =>
  new SetupError(`The environment is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`, {
    hint: 'Correct these variables and start again.',
  });

/** The problems that zod found, by the variable's name below `prefix` and never with its value. */
export const variableProblems = (error: z.ZodError, prefix = ''): string[] =>
  error.issues.map(({ path, message }) => `${prefix}${path.join('.')}: ${message}`);

/** Parses environment variables; every problem is reported together. */
export function parseEnvironment<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.infer<S> {
  const parsed = schema.safeParse(setVariablesOf(env));
  if (parsed.success) return parsed.data;
  throw unusableEnvironment(variableProblems(parsed.error));
}
