import type { z } from 'zod';
import type { WorkerConfig } from '../deployment/load.js';
import type { ecsManagerEnvironment, jobTypeVariables } from '../environment/capacity-manager.js';

/** Names come from what the manager reads: a variable that is added there does not compile here until it is set. */
export type ManagerVariable = keyof z.input<typeof ecsManagerEnvironment>;
type JobTypeVariable = keyof z.input<typeof jobTypeVariables>;

export interface Launchable {
  config: WorkerConfig;
  taskDefinition: string;
  cluster: string;
  securityGroup: string;
}

/** `T_TASK_DEF`, `T_CLUSTER`, … for each job type. Types of one worker share its task definition, and so its tasks. */
export function jobTypeEnvironment(workers: readonly Launchable[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { config, taskDefinition, cluster, securityGroup } of workers) {
    const { scaling } = config;
    const variables: Record<JobTypeVariable, string> = {
      TASK_DEF: taskDefinition,
      CLUSTER: cluster,
      MIN_CAPACITY: String(scaling.min),
      MAX_CAPACITY: String(scaling.max),
      COOLDOWN: String(scaling.cooldownSeconds),
      SENSITIVITY: String(scaling.sensitivity),
      FACTOR: String(scaling.factor),
      SECURITY_GROUP: securityGroup,
      SPOT: String(config.spot ?? false),
    };
    for (const type of config.jobTypes) {
      for (const [name, value] of Object.entries(variables)) environment[`${type}_${name}`] = value;
    }
  }
  return environment;
}
