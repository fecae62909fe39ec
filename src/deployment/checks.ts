import { z } from 'zod';
import { findFargateProblem } from '../aws/fargate-sizes.js';

/** Checks several fields of a value, which may be incomplete because other checks failed. */
type Check = (value: unknown, context: z.RefinementCtx) => void;

/** Runs a check even when other checks failed, so that all problems are reported together. */
export const always = { when: () => true };

const add = (context: z.RefinementCtx, path: PropertyKey[], message: string) =>
  context.addIssue({ code: 'custom', path, message });

/** Requires a pair of CPU units and memory that Fargate offers, for example 256 and 512 MiB. */
export const requireFargateSize = (memory: 'memory' | 'memoryLimitMiB'): Check => {
  const size = z.object({ cpu: z.number(), [memory]: z.number() });
  return (value, context) => {
    const { data } = size.safeParse(value);
    const problem = data && findFargateProblem(Number(data.cpu), Number(data[memory]));
    if (problem) add(context, [problem.field === 'cpu' ? 'cpu' : memory], problem.message);
  };
};

/** Requires that the field `low` is at most the field `high`, for example `min` and `max`. */
export const requireOrder = (low: string, high: string): Check => {
  const pair = z.record(z.string(), z.unknown());
  return (value, context) => {
    const { data } = pair.safeParse(value);
    const [from, to] = [data?.[low], data?.[high]];
    if (typeof from !== 'number' || typeof to !== 'number' || from <= to) return;
    add(context, [high], `expected ${from} (${low}) or more, received ${to}`);
  };
};

/** Requires either `lambda` or `ecs`. */
export const requireOneMode: Check = (value, context) => {
  const { data } = z.object({ lambda: z.unknown(), ecs: z.unknown() }).partial().safeParse(value);
  if (data && (data.lambda === undefined) === (data.ecs === undefined))
    add(context, [], 'expected either { "lambda": {} } or { "ecs": { … } }');
};

const named = z.object({ name: z.string() });
const typed = z.object({ jobTypes: z.array(z.string()) });

/**
 * Requires a distinct name of each worker, which becomes the family of a task definition, and one worker for each job type,
 * because a type has one set of variables, for example `TEST_TASK_DEF`.
 */
export const requireDistinctWorkers: Check = (value, context) => {
  if (!Array.isArray(value)) return;
  const names = new Map<string, number>();
  const types = new Map<string, number>();
  for (const [index, worker] of value.entries()) {
    const name = named.safeParse(worker).data?.name;
    const other = name === undefined ? undefined : names.get(name.toLowerCase());
    if (other !== undefined) add(context, [index, 'name'], `expected a distinct name: workers.${other} is the same`);
    else if (name !== undefined) names.set(name.toLowerCase(), index);
    for (const [position, type] of (typed.safeParse(worker).data?.jobTypes ?? []).entries()) {
      const server = types.get(type);
      if (server === undefined) types.set(type, index);
      else
        add(
          context,
          [index, 'jobTypes', position],
          `expected a type that no other worker serves: workers.${server} has ${type}`,
        );
    }
  }
};

const regional = z.object({ aws: z.object({ account: z.string().length(12), region: z.string().regex(/-\d$/) }) });
const arns = [
  { path: ['certificates', 'primary'], required: 'own' },
  { path: ['certificates', 'cloudfront'], required: 'us-east-1' },
  { path: ['webAPI', 'apiSecretsArn'], required: 'own' },
] as const;

/** Requires ARNs of the deployment's account and region. CloudFront needs a certificate of us-east-1. */
export const requireOwnArns: Check = (value, context) => {
  const aws = regional.safeParse(value).data?.aws;
  if (!aws) return;
  for (const { path, required } of arns) {
    const [outer, inner] = path;
    const { data } = z.object({ [outer]: z.object({ [inner]: z.string() }) }).safeParse(value);
    const [, , , region, account] = data?.[outer]?.[inner]?.split(':') ?? [];
    if (!region || !account) continue;
    const expected = required === 'own' ? aws.region : required;
    if (region !== expected)
      add(context, [...path], `expected an ARN of region ${expected}, received one of ${region}`);
    if (account !== aws.account)
      add(context, [...path], `expected an ARN of account ${aws.account}, received one of ${account}`);
  }
};

const zoned = z.object({ hostedZone: z.object({ name: z.string() }) });
const domained = z.object({ domains: z.record(z.string(), z.unknown()) });
const services = ['webAPI', 'reefGuideAPI', 'frontend'];

/** Requires a distinct name of each service in the hosted zone, because the stack creates the records there. */
export const requireNamesInZone: Check = (value, context) => {
  const zone = zoned.safeParse(value).data?.hostedZone.name;
  const domains = domained.safeParse(value).data?.domains ?? {};
  const { baseDomain } = domains;
  const owner = new Map<string, string>();
  for (const field of ['baseDomain', ...services]) {
    const domain = domains[field];
    if (typeof domain !== 'string') continue;
    const name = field === 'baseDomain' || typeof baseDomain !== 'string' ? domain : toFullName(domain, baseDomain);
    if (zone !== undefined && name.includes('.') && name !== zone && !name.endsWith(`.${zone}`))
      add(context, ['domains', field], `expected a name in the hosted zone ${zone}, received ${name}`);
    if (field === 'baseDomain') continue;
    const other = owner.get(name);
    if (other) add(context, ['domains', field], `expected a distinct name: domains.${other} is the same`);
    else owner.set(name, field);
  }
};

/** Returns a full domain name, for example `api` → `api.reefguide.example.com`. A name with a dot is already full. */
export const toFullName = (domain: string, baseDomain: string) =>
  domain.includes('.') ? domain : `${domain}.${baseDomain}`;
