import { z } from 'zod';
import { fargateProblem } from '../aws/fargate-sizes.js';

/** A check of several fields at once. It sees what was read, which is not whole when other fields are wrong. */
type Check = (value: unknown, context: z.RefinementCtx) => void;

/** Checks also run beside other problems, so that all are reported together. */
export const always = { when: () => true };

const add = (context: z.RefinementCtx, path: PropertyKey[], message: string) =>
  context.addIssue({ code: 'custom', path, message });

/** Fargate offers certain pairs of CPU units and memory. */
export const sizeOnFargate = (memory: 'memory' | 'memoryLimitMiB'): Check => {
  const size = z.object({ cpu: z.number(), [memory]: z.number() });
  return (value, context) => {
    const { data } = size.safeParse(value);
    const problem = data && fargateProblem(Number(data.cpu), Number(data[memory]));
    if (problem) add(context, [problem.field === 'cpu' ? 'cpu' : memory], problem.message);
  };
};

export const ordered = (low: string, high: string): Check => {
  const pair = z.record(z.string(), z.unknown());
  return (value, context) => {
    const { data } = pair.safeParse(value);
    const [from, to] = [data?.[low], data?.[high]];
    if (typeof from !== 'number' || typeof to !== 'number' || from <= to) return;
    add(context, [high], `expected ${from} (${low}) or more, received ${to}`);
  };
};

export const oneMode: Check = (value, context) => {
  const { data } = z.object({ lambda: z.unknown(), ecs: z.unknown() }).partial().safeParse(value);
  if (data && (data.lambda === undefined) === (data.ecs === undefined))
    add(context, [], 'expected either { "lambda": {} } or { "ecs": { … } }');
};

const named = z.object({ name: z.string() });
const typed = z.object({ jobTypes: z.array(z.string()) });

/** Two workers of one name would be one task definition; a job type has one set of `T_…` variables. */
export const distinctWorkers: Check = (value, context) => {
  if (!Array.isArray(value)) return;
  const names = new Map<string, number>();
  const types = new Map<string, number>();
  for (const [index, worker] of value.entries()) {
    const name = named.safeParse(worker).data?.name;
    const other = name === undefined ? undefined : names.get(name.toLowerCase());
    if (other !== undefined)
      add(context, [index, 'name'], `expected a name of its own: workers.${other} has it already`);
    else if (name !== undefined) names.set(name.toLowerCase(), index);
    for (const [place, type] of (typed.safeParse(worker).data?.jobTypes ?? []).entries()) {
      const server = types.get(type);
      if (server === undefined) types.set(type, index);
      else
        add(
          context,
          [index, 'jobTypes', place],
          `expected a type that no other worker serves: workers.${server} has ${type}`,
        );
    }
  }
};

const regional = z.object({ aws: z.object({ account: z.string().length(12), region: z.string().regex(/-\d$/) }) });
const arns = [
  { path: ['certificates', 'primary'], region: 'here' },
  { path: ['certificates', 'cloudfront'], region: 'us-east-1' },
  { path: ['webAPI', 'apiSecretsArn'], region: 'here' },
] as const;

/** A load balancer takes certificates of its own region, CloudFront those of us-east-1, and both of their own account. */
export const ownArns: Check = (value, context) => {
  const aws = regional.safeParse(value).data?.aws;
  if (!aws) return;
  for (const { path, region } of arns) {
    const [outer, inner] = path;
    const { data } = z.object({ [outer]: z.object({ [inner]: z.string() }) }).safeParse(value);
    const [, , , itsRegion, itsAccount] = data?.[outer]?.[inner]?.split(':') ?? [];
    if (!itsRegion || !itsAccount) continue;
    const expected = region === 'here' ? aws.region : region;
    if (itsRegion !== expected)
      add(context, [...path], `expected an ARN of region ${expected}, received one of ${itsRegion}`);
    if (itsAccount !== aws.account)
      add(context, [...path], `expected an ARN of account ${aws.account}, received one of ${itsAccount}`);
  }
};

const zoned = z.object({ hostedZone: z.object({ name: z.string() }) });
const domained = z.object({ domains: z.record(z.string(), z.unknown()) });
const services = ['webAPI', 'reefGuideAPI', 'frontend'];

/** Records are made in the hosted zone, so every name stands in it; each service has a name of its own. */
export const namesInZone: Check = (value, context) => {
  const zone = zoned.safeParse(value).data?.hostedZone.name;
  const domains = domained.safeParse(value).data?.domains ?? {};
  const { baseDomain } = domains;
  const owner = new Map<string, string>();
  for (const field of ['baseDomain', ...services]) {
    const domain = domains[field];
    if (typeof domain !== 'string') continue;
    const name = field === 'baseDomain' || typeof baseDomain !== 'string' ? domain : wholeName(domain, baseDomain);
    if (zone !== undefined && name.includes('.') && name !== zone && !name.endsWith(`.${zone}`))
      add(context, ['domains', field], `expected a name in the hosted zone ${zone}, received ${name}`);
    if (field === 'baseDomain') continue;
    const other = owner.get(name);
    if (other) add(context, ['domains', field], `expected a name of its own: domains.${other} has it already`);
    else owner.set(name, field);
  }
};

/** `api` under `reefguide.example.com` is `api.reefguide.example.com`; a name with a dot is whole already. */
export const wholeName = (domain: string, baseDomain: string) =>
  domain.includes('.') ? domain : `${domain}.${baseDomain}`;
