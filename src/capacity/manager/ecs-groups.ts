import type { z } from 'zod';
import { type EcsTaskDefinition, toTaskFamily } from '../../compute/ecs/task-definition.js';
import { ecsManagerEnvironment, type JobTypeVariables, jobTypeVariables } from '../../environment/capacity-manager.js';
import { omitEmptyVariables, toEnvironmentError, toVariableProblems } from '../../environment/variables.js';
import type { Scaling } from './scaling.js';
import type { WorkerGroup } from './workers-file.js';

/** Workers on ECS: one group for each task definition, with any number of job types. */
export interface EcsWorkerGroup extends WorkerGroup, Omit<EcsTaskDefinition, 'group'> {}

export interface EcsManager {
  environment: z.infer<typeof ecsManagerEnvironment>;
  groups: EcsWorkerGroup[];
  /** Settings with a likely mistake, for example different maxima of job types with shared workers. */
  warnings: string[];
}

type JobTypeSettings = { type: string; variables: JobTypeVariables };

/** Matches variables of a job type, for example `TEST_TASK_DEF`, by suffixes without a meaning elsewhere. */
const jobTypeVariable = /^([A-Z][A-Z0-9_]*?)_(?:TASK_DEF|MIN_CAPACITY|MAX_CAPACITY)$/;

/** Returns the settings of a manager on ECS. Throws a SetupError with the problems of all variables. */
export function parseEcsManager(env: NodeJS.ProcessEnv): EcsManager {
  const variables = omitEmptyVariables(env);
  const environment = ecsManagerEnvironment.safeParse(variables);
  const problems = environment.success ? [] : toVariableProblems(environment.error);
  const settings = readJobTypes(variables, problems);
  const groupMembers = groupByTaskDefinition(settings);
  for (const members of groupMembers) problems.push(...findDisagreements(members));
  if (!environment.success || problems.length > 0) throw toEnvironmentError(problems);

  const warnings: string[] = [];
  const groups = groupMembers.map((members) => toWorkerGroup(members, warnings));
  return { environment: environment.data, groups: withUniqueNames(groups), warnings };
}

function readJobTypes(set: Readonly<Record<string, string>>, problems: string[]): JobTypeSettings[] {
  const types = [...new Set(Object.keys(set).flatMap((name) => jobTypeVariable.exec(name)?.[1] ?? []))].sort();
  if (types.length === 0)
    problems.push('T_TASK_DEF: no job type has variables: set TEST_TASK_DEF, TEST_CLUSTER and so on for each job type');
  return types.flatMap((type) => {
    const values = Object.fromEntries(Object.keys(jobTypeVariables.shape).map((key) => [key, set[`${type}_${key}`]]));
    const parsed = jobTypeVariables.safeParse(values);
    if (!parsed.success) {
      problems.push(...toVariableProblems(parsed.error, `${type}_`));
      return [];
    }
    if (parsed.data.MIN_CAPACITY > parsed.data.MAX_CAPACITY) {
      problems.push(`${type}_MIN_CAPACITY: is above ${type}_MAX_CAPACITY`);
      return [];
    }
    return [{ type, variables: parsed.data }];
  });
}

/** Joins job types with the same task definition in the same cluster, because such types share workers. */
function groupByTaskDefinition(settings: readonly JobTypeSettings[]): JobTypeSettings[][] {
  const groups = new Map<string, JobTypeSettings[]>();
  for (const setting of settings) {
    const { CLUSTER, TASK_DEF } = setting.variables;
    const key = `${CLUSTER} ${toTaskFamily(TASK_DEF)}`;
    groups.set(key, [...(groups.get(key) ?? []), setting]);
  }
  return [...groups.values()];
}

function findDisagreements([first, ...others]: readonly JobTypeSettings[]): string[] {
  if (!first) return [];
  const family = toTaskFamily(first.variables.TASK_DEF);
  return (['TASK_DEF', 'SECURITY_GROUP', 'SPOT'] as const).flatMap((key) =>
    others
      .filter(({ variables }) => variables[key] !== first.variables[key])
      .map(
        ({ type }) =>
          `${type}_${key}: differs from ${first.type}_${key}, though both types have workers of the family ${family}`,
      ),
  );
}

function toWorkerGroup(members: readonly JobTypeSettings[], warnings: string[]): EcsWorkerGroup {
  const [first] = members;
  if (!first) throw new Error('a group without job types');
  const { TASK_DEF, CLUSTER, SECURITY_GROUP, SPOT } = first.variables;
  const family = toTaskFamily(TASK_DEF);
  return {
    name: family,
    family,
    jobTypes: members.map(({ type }) => type),
    taskDefinition: TASK_DEF,
    cluster: CLUSTER,
    securityGroup: SECURITY_GROUP,
    spot: SPOT,
    scaling: toScaling(members, family, warnings),
  };
}

/** Returns the most generous scaling of the job types, and adds differences to `warnings`. */
function toScaling(members: readonly JobTypeSettings[], family: string, warnings: string[]): Scaling {
  const choose = (
    key: 'MIN_CAPACITY' | 'MAX_CAPACITY' | 'SENSITIVITY' | 'FACTOR' | 'COOLDOWN',
    mostGenerous: typeof Math.max,
  ) => {
    const values = members.map(({ variables }) => variables[key]);
    const value = mostGenerous(...values);
    if (values.some((other) => other !== value)) {
      const names = members.map(({ type }) => `${type}_${key}`).join(', ');
      warnings.push(`${names} differ, though these types share the workers of ${family}: ${value} holds for all`);
    }
    return value;
  };
  return {
    min: choose('MIN_CAPACITY', Math.max),
    max: choose('MAX_CAPACITY', Math.max),
    sensitivity: choose('SENSITIVITY', Math.max),
    factor: choose('FACTOR', Math.min),
    cooldownSeconds: choose('COOLDOWN', Math.min),
    policy: { kind: 'logarithmic' },
  };
}

/** Prefixes duplicate names with the cluster: `reef` → `reef-cluster/reef`. */
function withUniqueNames(groups: readonly EcsWorkerGroup[]): EcsWorkerGroup[] {
  const isUnique = ({ name }: EcsWorkerGroup) => groups.filter((other) => other.name === name).length === 1;
  return groups.map((group) =>
    isUnique(group) ? group : { ...group, name: `${group.cluster.replace(/^.*cluster\//, '')}/${group.name}` },
  );
}
