import { z } from 'zod';
import { logLevels } from '../platform/log-levels.js';

/** What the capacity manager reads from its environment, whatever its provider. */
export const managerEnvironment = z.object({
  /** Of the fallback to polling, and the beat of the health check. */
  POLL_INTERVAL_MS: z.coerce.number().int().min(500).default(3000),
  API_ENDPOINT: z.url().optional(),
  API_USERNAME: z.string().optional(),
  API_PASSWORD: z.string().optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Address of the health check and the metrics. */
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(logLevels).default('info'),
  SENTRY_DSN: z.url().optional(),
});

/** On this machine: the event processor that is told when a task stops, and the account of the workers. */
export const localManagerEnvironment = managerEnvironment.extend({
  PROCESSOR_URL: z.url().optional(),
  PROCESSOR_TOKEN: z.string().optional(),
  WORKER_USERNAME: z.string().optional(),
  WORKER_PASSWORD: z.string().optional(),
});

const required = (expected: string) => z.string({ error: `is not set: ${expected}` }).min(1);

/** On ECS everything must be named: nothing is found by itself. */
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
 * The variables of each job type `T`, named `T_<key>`; types that share a task definition share its workers. The
 * deployment sets what is read here, and a test derives one from the other.
 */
export const jobTypeVariables = z.object({
  /** ARN, `family:revision` or family. */
  TASK_DEF: required('a task definition'),
  /** ARN or name. */
  CLUSTER: required('the ECS cluster'),
  MIN_CAPACITY: number(z.number().int().min(0), 'a whole number of workers, 0 or more'),
  MAX_CAPACITY: number(z.number().int().min(0).max(1000), 'a whole number of workers, 0 to 1000'),
  /** Seconds between launches. */
  COOLDOWN: number(z.number().min(0), 'seconds, 0 or more'),
  SENSITIVITY: number(z.number().positive(), 'a number above 0'),
  FACTOR: number(z.number().positive(), 'a number above 0'),
  SECURITY_GROUP: required('the security group of the workers').regex(/^sg-/, 'expected sg-…'),
  /** `true`: on Spot while there is capacity, otherwise on demand. */
  SPOT: z
    .enum(['true', 'false'], { error: 'expected true or false' })
    .default('false')
    .transform((text) => text === 'true'),
});
export type JobTypeVariables = z.infer<typeof jobTypeVariables>;
