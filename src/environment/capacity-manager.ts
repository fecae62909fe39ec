import { z } from 'zod';
import { logLevels } from '../platform/log-levels.js';

/** Variables of the capacity manager with any provider. */
export const managerEnvironment = z.object({
  /** Interval of polls for demand, in case a notification is lost, and of the health check. */
  POLL_INTERVAL_MS: z.coerce.number().int().min(500).default(3000),
  API_ENDPOINT: z.url('expected a URL').optional(),
  API_USERNAME: z.string().optional(),
  API_PASSWORD: z.string().optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Address that serves the health check and the metrics. */
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(logLevels).default('info'),
  SENTRY_DSN: z.url('expected a URL').optional(),
});

/** Variables with local workers: the event processor to notify of stopped tasks, and the workers' account. */
export const localManagerEnvironment = managerEnvironment.extend({
  PROCESSOR_URL: z.url('expected a URL').optional(),
  PROCESSOR_TOKEN: z.string().optional(),
  WORKER_USERNAME: z.string().optional(),
  WORKER_PASSWORD: z.string().optional(),
});

const required = (expected: string) => z.string({ error: `is not set: ${expected}` }).min(1);

/** Variables with workers on ECS, all of which are required. */
export const ecsManagerEnvironment = managerEnvironment.extend({
  API_ENDPOINT: z.url({
    error: ({ input }) => (input === undefined ? 'is not set: the URL of the API' : 'expected a URL'),
  }),
  API_USERNAME: required("the manager account's e-mail address"),
  API_PASSWORD: required("the manager account's password"),
  AWS_REGION: required('a region such as ap-southeast-2'),
  VPC_ID: required('the VPC whose public subnets the workers run in').regex(/^vpc-/, 'expected vpc-…'),
});

const number = (schema: z.ZodNumber, expected: string) =>
  z
    .string({ error: `is not set: ${expected}` })
    .regex(/^-?\d+(\.\d+)?$/, `expected ${expected}`)
    .transform(Number)
    .pipe(schema);

/**
 * Variables of a job type, with the type as a prefix, for example `TEST_TASK_DEF`. Types with the same task definition share
 * workers. infra/ sets these variables, and a test compares both sides.
 */
export const jobTypeVariables = z.object({
  /** ARN, `family:revision` or family of the task definition. */
  TASK_DEF: required('a task definition'),
  /** ARN or name of the cluster. */
  CLUSTER: required('the ECS cluster'),
  MIN_CAPACITY: number(z.number().int().min(0), 'a whole number of workers, 0 or more'),
  MAX_CAPACITY: number(z.number().int().min(0).max(1000), 'a whole number of workers, 0 to 1000'),
  /** Seconds between launches. */
  COOLDOWN: number(z.number().min(0), 'seconds, 0 or more'),
  SENSITIVITY: number(z.number().positive(), 'a number above 0'),
  FACTOR: number(z.number().positive(), 'a number above 0'),
  SECURITY_GROUP: required('the security group of the workers').regex(/^sg-/, 'expected sg-…'),
  /** Launches on Spot while Spot has capacity, otherwise on demand. */
  SPOT: z
    .enum(['true', 'false'], { error: 'expected true or false' })
    .default('false')
    .transform((text) => text === 'true'),
});
export type JobTypeVariables = z.infer<typeof jobTypeVariables>;
