import { z } from 'zod';
import { logLevels } from '../platform/log-levels.js';
import { renameRunvoyVariables, runvoyVariables } from './runvoy-names.js';

const seconds = (fallback: number) => z.coerce.number().positive().default(fallback);
const url = z.url('expected a URL').optional();
const account = { username: z.string().min(1).optional(), password: z.string().min(8).optional() };

/** A comma-separated list, for example `subnet-1,subnet-2`. */
const names = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((name) => name !== ''));

const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'expected a postgresql:// URL')
  .optional();

/** Address of the database; unset: the embedded one. `DIRECT_URL` bypasses a pooler, for migrations and LISTEN. */
export const databaseEnvironment = z.object({ DATABASE_URL: postgresUrl, DIRECT_URL: postgresUrl });

/** Variables of the API. */
const serverVariables = databaseEnvironment
  .extend({
    NODE_ENV: z.string().default('development'),
    DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(12),
    LOG_LEVEL: z.enum(logLevels).default('info'),
    SENTRY_DSN: url,
    PUBLIC_API_URL: url,
    ALLOWED_ORIGINS: z.string().default(''),
    TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
    JWT_PRIVATE_KEY: z.string().optional(),
    JWT_PUBLIC_KEY: z.string().optional(),
    JWT_KEY_ID: z.string().optional(),
    /** The key before a rotation, accepted and published until an operator unsets these variables. */
    JWT_PREVIOUS_PUBLIC_KEY: z.string().optional(),
    JWT_PREVIOUS_KEY_ID: z.string().optional(),
    JWT_ISSUER: z.string().default('reefguide'),
    JWT_EXPIRES_IN: seconds(3600),
    REFRESH_TOKEN_EXPIRES_IN: seconds(48 * 3600),
    HEARTBEAT_TIMEOUT_SECONDS: seconds(60),
    SWEEP_INTERVAL_SECONDS: seconds(2),
    S3_BUCKET_NAME: z.string().optional(),
    S3_ENDPOINT: url,
    /** ECS service that /api/admin shows, scales and redeploys. */
    ECS_CLUSTER_NAME: z.string().optional(),
    ECS_SERVICE_NAME: z.string().optional(),
    AWS_REGION: z.string().default('ap-southeast-2'),
    URL_SIGNING_KEY: z.string().min(32).optional(),
    /** Key that encrypts secrets, and the key before a rotation, until all secrets are encrypted with the new key. */
    SECRETS_KEY: z.string().min(32).optional(),
    SECRETS_PREVIOUS_KEY: z.string().min(32).optional(),
    /** ECS cluster of executions; unset: executions run on this machine. */
    EXECUTION_CLUSTER: z.string().optional(),
    EXECUTION_SECURITY_GROUP: z.string().optional(),
    EXECUTION_SUBNETS: names,
    EXECUTION_LOG_GROUP: z.string().optional(),
    EXECUTION_FAMILY_PREFIX: z.string().default('reefguide-execution'),
    /** Default roles of images: for ECS, and for the command. */
    EXECUTION_ROLE_ARN: z.string().optional(),
    EXECUTION_TASK_ROLE_ARN: z.string().optional(),
    EXECUTION_GIT_IMAGE: z.string().default('alpine/git:2.45.2'),
    /** Container engine of executions on this machine. `auto` tries both and falls back to processes, as `none` does. */
    EXECUTION_ENGINE: z.enum(['auto', 'docker', 'podman', 'none']).default('auto'),
    /** Image of executions while no image is registered. */
    EXECUTION_IMAGE: z.string().default('ubuntu:24.04'),
    EXECUTION_CPU: z.coerce.number().int().positive().default(256),
    EXECUTION_MEMORY: z.coerce.number().int().positive().default(512),
    /** Days until the output of an ended execution is deleted; 0: never. */
    EXECUTION_LOG_DAYS: z.coerce.number().int().min(0).max(10_000).default(90),
    /** Address of API Gateway's WebSockets; unset: the server accepts WebSockets. */
    WEBSOCKET_API_ENDPOINT: z.url({ protocol: /^wss?$/, error: 'expected a ws:// or wss:// URL' }).optional(),
    /** Groups of CloudWatch Logs with the server's log, comma-separated; unset: Postgres stores the lines, too. */
    LOG_GROUP_NAMES: names,
    /** Longest wait of a long poll in seconds; 0: as long as the request asks. */
    REQUEST_TIMEOUT_SECONDS: z.coerce.number().min(0).max(3600).default(0),
    ...runvoyVariables.shape,
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
      const add = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
      for (const role of ['ADMIN', 'MANAGER', 'WORKER'] as const) {
        if (Boolean(env[`${role}_USERNAME`]) !== Boolean(env[`${role}_PASSWORD`])) {
          add(`${role}_PASSWORD`, `set both ${role}_USERNAME and ${role}_PASSWORD, or neither`);
        }
      }
      for (const name of ['EXECUTION_SECURITY_GROUP', 'EXECUTION_SUBNETS', 'EXECUTION_LOG_GROUP'] as const) {
        if (env.EXECUTION_CLUSTER && !env[name]?.length) add(name, 'expected a value beside EXECUTION_CLUSTER');
      }
      if (Boolean(env.JWT_PREVIOUS_PUBLIC_KEY) !== Boolean(env.JWT_PREVIOUS_KEY_ID)) {
        add('JWT_PREVIOUS_KEY_ID', 'set both JWT_PREVIOUS_PUBLIC_KEY and JWT_PREVIOUS_KEY_ID, or neither');
      }
    },
    // Runs even when other checks failed, so that all problems are reported together.
    { when: () => true },
  );

/** The API's environment, also under the names of runvoy's variables. */
export const serverEnvironment = z.preprocess(renameRunvoyVariables, serverVariables);
export type ServerEnvironment = z.infer<typeof serverEnvironment>;
