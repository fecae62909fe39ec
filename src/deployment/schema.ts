import { z } from 'zod';
import * as checks from './checks.js';

const pattern = (expression: RegExp, expected: string) => z.string().regex(expression, `expected ${expected}`);
// Unlike z.int(), which stops zod before the checks across fields.
const integer = (from: number, to: number) => {
  const fits = (value: number) => Number.isInteger(value) && value >= from && value <= to;
  return z.number().refine(fits, `expected a whole number from ${from} to ${to}`);
};
const positive = z.number().refine((value) => value > 0, 'expected a number above 0');
const percent = integer(1, 100);
const seconds = integer(0, 86_400);
const mebibytes = integer(512, 122_880);
const cpuUnits = integer(256, 16_384);
const port = integer(1, 65_535);
const fileName = pattern(/^[\w.-][\w./-]*$/, 'a file name such as index.html');
const email = z.email('expected an e-mail address');
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const domain = pattern(new RegExp(`^(${label}\\.)+[a-z]{2,}$`), 'a domain name such as reefguide.example.com');
const domainOrLabel = pattern(
  new RegExp(`^${label}(\\.${label})*$`),
  'a domain name, or the first label of a name below the base domain',
);
const certificate = pattern(
  /^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
  'the ARN of a certificate: arn:aws:acm:REGION:ACCOUNT:certificate/ID',
);
const image = pattern(
  /^[a-z0-9][\w./:-]*(@sha256:[0-9a-f]{64})?$/,
  'an image such as images.example.com/name:tag, without spaces',
);
const jobType = pattern(/^[A-Z][A-Z0-9_]{0,99}$/, 'a job type: upper-case letters, digits and _');

/** Variables that the stack sets in every worker. */
export const workerVariables = ['API_ENDPOINT', 'API_USERNAME', 'API_PASSWORD', 'AWS_REGION', 'JOB_TYPES'] as const;
const isWorkerVariable = (name: string) => workerVariables.some((variable) => variable === name);
const workerEnv = z.record(
  pattern(/^[A-Za-z_]\w*$/, "a variable's name: letters, digits and _").refine(
    (name) => !isWorkerVariable(name),
    'expected a variable that the stack does not set itself',
  ),
  z.string(),
);

const autoScaling = z
  .strictObject({
    enabled: z.boolean(),
    minCapacity: integer(0, 1000),
    maxCapacity: integer(1, 1000),
    targetCpuUtilization: percent,
    targetMemoryUtilization: percent,
    scaleInCooldown: seconds,
    scaleOutCooldown: seconds,
  })
  .superRefine(checks.requireOrder('minCapacity', 'maxCapacity'), checks.always);
export type AutoScaling = z.infer<typeof autoScaling>;

const webApi = z.strictObject({
  apiSecretsArn: pattern(
    /^arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
    'the ARN of a secret with its suffix: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX',
  ),
  nodeEnv: pattern(/^[\w-]+$/, 'production, or another word'),
  port: port.default(5000),
  mode: z
    .strictObject({
      lambda: z.strictObject({}).optional(),
      ecs: z
        .strictObject({ cpu: cpuUnits, memory: mebibytes, autoScaling })
        .superRefine(checks.requireFargateSize('memory'), checks.always)
        .optional(),
    })
    .superRefine(checks.requireOneMode, checks.always),
});

const reefGuideApi = z
  .strictObject({
    reefGuideDockerImage: image,
    reefGuideDockerImageTag: pattern(/^\w[\w.-]{0,127}$/, 'a tag such as latest'),
    port,
    cpu: cpuUnits,
    memory: mebibytes,
    autoScaling,
    memoryAlerting: z
      .strictObject({
        emailAddress: email,
        averageThreshold: percent.default(85),
        maxThreshold: percent.default(95),
        evaluationPeriods: integer(1, 100).default(2),
        metricPeriod: integer(60, 86_400)
          .refine((value) => value % 60 === 0, 'expected a multiple of 60 seconds')
          .default(60),
      })
      .optional(),
  })
  .superRefine(checks.requireFargateSize('memory'), checks.always);

const worker = z
  .strictObject({
    name: pattern(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, 'up to 40 letters, digits and -, a letter first'),
    jobTypes: z.array(jobType).min(1, 'expected one job type or more'),
    image,
    command: z.array(z.string()).min(1, 'expected one word or more').optional(),
    cpu: cpuUnits,
    memoryLimitMiB: mebibytes,
    env: workerEnv.optional(),
    spot: z.boolean().optional(),
    mountData: z.boolean().optional(),
    scaling: z
      .strictObject({
        min: integer(0, 1000),
        max: integer(1, 1000),
        factor: positive,
        sensitivity: positive,
        cooldownSeconds: seconds,
      })
      .superRefine(checks.requireOrder('min', 'max'), checks.always),
  })
  .superRefine(checks.requireFargateSize('memoryLimitMiB'), checks.always);
export type WorkerConfig = z.infer<typeof worker>;

/** Schema of `configs/<name>.json`, one deployment. docs/configuration.md explains each field. */
export const deploymentSchema = z
  .strictObject({
    stackName: pattern(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'up to 64 letters, digits and -, a letter first'),
    hostedZone: z.strictObject({
      id: pattern(/^Z[A-Z0-9]+$/, 'the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ'),
      name: domain,
    }),
    certificates: z.strictObject({ primary: certificate, cloudfront: certificate }),
    domains: z.strictObject({
      baseDomain: domain,
      webAPI: domainOrLabel,
      reefGuideAPI: domainOrLabel,
      frontend: domainOrLabel,
    }),
    aws: z.strictObject({
      account: pattern(/^\d{12}$/, 'an account id of 12 digits, in quotes'),
      region: pattern(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as ap-southeast-2').default('ap-southeast-2'),
    }),
    webAPI: webApi,
    reefGuideAPI: reefGuideApi,
    frontend: z.strictObject({ indexDocument: fileName, errorDocument: fileName }),
    db: z
      .strictObject({
        instanceSize: z.enum(['micro', 'small', 'medium', 'large', 'xlarge', '2xlarge']),
        storageGb: integer(20, 65_536),
      })
      .optional(),
    jobSystem: z.strictObject({
      capacityManager: z
        .strictObject({ cpu: cpuUnits, memoryLimitMiB: mebibytes, pollIntervalMs: integer(500, 3_600_000) })
        .superRefine(checks.requireFargateSize('memoryLimitMiB'), checks.always),
      workers: z
        .array(worker)
        .min(1, 'expected one worker or more')
        .superRefine(checks.requireDistinctWorkers, checks.always),
    }),
    executions: z
      .strictObject({
        defaultImage: image,
        cpu: cpuUnits,
        memory: mebibytes,
        gitImage: image.default('alpine/git:2.45.2'),
      })
      .superRefine(checks.requireFargateSize('memory'), checks.always)
      .optional(),
    monitoring: z
      .strictObject({
        alertEmail: email.optional(),
        sentryDsn: z.url({ protocol: /^https$/, error: 'expected an https URL' }).optional(),
      })
      .optional(),
  })
  .superRefine(checks.requireOwnArns, checks.always)
  .superRefine(checks.requireNamesInZone, checks.always)
  .transform((deployment) => {
    const { baseDomain, webAPI, reefGuideAPI, frontend } = deployment.domains;
    const full = (name: string) => checks.toFullName(name, baseDomain);
    /** Full names, for example `api.reefguide.example.com` for `api`. */
    const domains = { baseDomain, webAPI: full(webAPI), reefGuideAPI: full(reefGuideAPI), frontend: full(frontend) };
    return { ...deployment, domains };
  });
export type Deployment = z.infer<typeof deploymentSchema>;
