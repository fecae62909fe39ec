import type { z } from 'zod';
import type { WorkerConfig } from '../deployment/schema.js';
import type { ecsManagerEnvironment, jobTypeVariables } from '../environment/capacity-manager.js';

/** Names of the manager's variables, from the schema that the manager reads: a new one must be set here to compile. */
export type ManagerVariable = keyof z.input<typeof ecsManagerEnvironment>;
type JobTypeVariable = keyof z.input<typeof jobTypeVariables>;

export interface LaunchTarget {
  config: WorkerConfig;
  taskDefinition: string;
  cluster: string;
  securityGroup: string;
}

/** Returns the manager's variables, e.g. `TEST_TASK_DEF` of `TEST`. The types of a worker share a task definition. */
export function toJobTypeEnvironment(workers: readonly LaunchTarget[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { config, taskDefinition, cluster, securityGroup } of workers) {
    const variables: Record<JobTypeVariable, string> = {
      TASK_DEF: taskDefinition,
      CLUSTER: cluster,
      MIN_CAPACITY: String(config.scaling.min),
      MAX_CAPACITY: String(config.scaling.max),
      COOLDOWN: String(config.scaling.cooldownSeconds),
      SENSITIVITY: String(config.scaling.sensitivity),
      FACTOR: String(config.scaling.factor),
      SECURITY_GROUP: securityGroup,
      SPOT: String(config.spot ?? false),
    };
    for (const type of config.jobTypes) {
      for (const [name, value] of Object.entries(variables)) environment[`${type}_${name}`] = value;
    }
  }
  return environment;
}
