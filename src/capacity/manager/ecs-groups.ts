import type { z } from 'zod';
import { type EcsTaskDefinition, toTaskFamily } from '../../compute/ecs/task-definition.js';
import { ecsManagerEnvironment, type JobTypeVariables, jobTypeVariables } from '../../environment/capacity-manager.js';
import { setVariablesOf, unusableEnvironment, variableProblems } from '../../environment/server.js';
import type { WorkerGroup } from './workers-file.js';

/** Workers on ECS: one group a task definition, whatever number of job types it serves. */
export interface EcsWorkerGroup extends WorkerGroup, Omit<EcsTaskDefinition, 'group'> {}

export interface EcsManager {
  environment: z.infer<typeof ecsManagerEnvironment>;
  groups: EcsWorkerGroup[];
  /** What works, and yet deserves a look. */
  warnings: string[];
}

interface TypeVariables {
  type: string;
  variables: JobTypeVariables;
}

/** Endings that no other variable is likely to have; each makes its beginning a job type. */
const typeName = /^([A-Z][A-Z0-9_]*?)_(?:TASK_DEF|MIN_CAPACITY|MAX_CAPACITY)$/;

/** Reads what `aws.md` lists. Every problem of every variable is reported together. */
export function parseEcsManager(env: NodeJS.ProcessEnv): EcsManager {
  const set = setVariablesOf(env);
  const problems: string[] = [];
  const parsed = ecsManagerEnvironment.safeParse(set);
  if (!parsed.success) problems.push(...variableProblems(parsed.error));

  const types = [...new Set(Object.keys(set).flatMap((name) => typeName.exec(name)?.[1] ?? []))].sort();
  if (types.length === 0) {
    problems.push('T_TASK_DEF: no job type has variables: set TEST_TASK_DEF, TEST_CLUSTER and so on for each job type');
  }
  const read: TypeVariables[] = [];
  for (const type of types) {
    const ofType = Object.fromEntries(Object.keys(jobTypeVariables.shape).map((key) => [key, set[`${type}_${key}`]]));
    const variables = jobTypeVariables.safeParse(ofType);
    if (!variables.success) problems.push(...variableProblems(variables.error, `${type}_`));
    else if (variables.data.MIN_CAPACITY > variables.data.MAX_CAPACITY)
      problems.push(`${type}_MIN_CAPACITY: is above ${type}_MAX_CAPACITY`);
    else read.push({ type, variables: variables.data });
  }

  const byDefinition = new Map<string, TypeVariables[]>();
  for (const one of read) {
    const key = `${one.variables.CLUSTER} ${toTaskFamily(one.variables.TASK_DEF)}`;
    byDefinition.set(key, [...(byDefinition.get(key) ?? []), one]);
  }
  for (const members of byDefinition.values()) problems.push(...disagreements(members));
  if (!parsed.success || problems.length > 0) throw unusableEnvironment(problems);

  const warnings: string[] = [];
  const groups = [...byDefinition.values()].map((members) => groupOf(members, warnings));
  const names = groups.map(({ name }) => name);
  for (const group of groups) {
    // The same family in two clusters.
    if (names.filter((name) => name === group.name).length > 1)
      group.name = `${clusterName(group.cluster)}/${group.name}`;
  }
  return { environment: parsed.data, groups, warnings };
}

/** Types that share workers must agree on what these are. */
function disagreements([first, ...others]: readonly TypeVariables[]): string[] {
  if (!first) return [];
  return (['TASK_DEF', 'SECURITY_GROUP', 'SPOT'] as const).flatMap((key) =>
    others
      .filter(({ variables }) => variables[key] !== first.variables[key])
      .map(
        ({ type }) =>
          `${type}_${key}: differs from ${first.type}_${key}, though both types have workers of the family ${toTaskFamily(first.variables.TASK_DEF)}`,
      ),
  );
}

/** One group of types that share a task definition; where their scaling differs the more generous value holds. */
function groupOf(members: readonly TypeVariables[], warnings: string[]): EcsWorkerGroup {
  const [first] = members;
  if (!first) throw new Error('a group without job types');
  const { TASK_DEF, CLUSTER, SECURITY_GROUP, SPOT } = first.variables;
  const family = toTaskFamily(TASK_DEF);
  const generous = (
    key: 'MIN_CAPACITY' | 'MAX_CAPACITY' | 'SENSITIVITY' | 'FACTOR' | 'COOLDOWN',
    of: typeof Math.max,
  ) => {
    const values = members.map(({ variables }) => variables[key]);
    const value = of(...values);
    if (values.some((one) => one !== value)) {
      const named = members.map(({ type }) => `${type}_${key}`).join(', ');
      warnings.push(`${named} differ, though these types share the workers of ${family}: ${value} holds for all`);
    }
    return value;
  };
  return {
    name: family,
    family,
    jobTypes: members.map(({ type }) => type),
    taskDefinition: TASK_DEF,
    cluster: CLUSTER,
    securityGroup: SECURITY_GROUP,
    spot: SPOT,
    scaling: {
      min: generous('MIN_CAPACITY', Math.max),
      max: generous('MAX_CAPACITY', Math.max),
      sensitivity: generous('SENSITIVITY', Math.max),
      factor: generous('FACTOR', Math.min),
      cooldownSeconds: generous('COOLDOWN', Math.min),
      policy: { kind: 'logarithmic' },
    },
  };
}

const clusterName = (cluster: string) => cluster.replace(/^.*cluster\//, '');
