import type { Demand } from '../../contract/jobs.js';

export interface Scaling {
  min: number;
  max: number;
  /** Waiting jobs for the first step of the logarithm. */
  factor: number;
  /** Workers for each step of the logarithm. */
  sensitivity: number;
  cooldownSeconds: number;
  policy: ScalingPolicy;
}

export type ScalingPolicy =
  | { kind: 'logarithmic' }
  /** Enough workers to clear the backlog within the target, given the mean run time of a job. */
  | { kind: 'target-wait'; targetWaitSeconds: number; meanJobSeconds: number };

/** Waiting and running jobs of a group's job types. */
export type GroupDemand = Pick<Demand['types'][number], 'pending' | 'inProgress'>;

export function toGroupDemand(jobTypes: readonly string[], { types }: Demand): GroupDemand {
  const served = types.filter(({ type }) => jobTypes.includes(type));
  const sum = (key: keyof GroupDemand) => served.reduce((total, demand) => total + demand[key], 0);
  return { pending: sum('pending'), inProgress: sum('inProgress') };
}

/**
 * Returns the workers for `pending` jobs, `max(1 if p > 0, round(sensitivity * ln(p / factor + 1)))`. For example, 100 jobs
 * with sensitivity 3 and factor 10 get `round(3 * ln(11))` = 7 workers.
 */
export function workersFor(pending: number, { sensitivity, factor }: Pick<Scaling, 'sensitivity' | 'factor'>): number {
  return Math.max(pending > 0 ? 1 : 0, Math.round(sensitivity * Math.log(pending / factor + 1)));
}

/**
 * Returns the desired number of workers of a group. Busy workers are no spare capacity, so waiting jobs get additional
 * workers. With b running and p waiting jobs: `clamp(b + min(p, workersFor(p)), min, max)`, or, to clear the backlog within
 * a target, `clamp(b + ceil(p * meanJobSeconds / targetWaitSeconds), min, max)`.
 */
export function desiredWorkers({ pending, inProgress }: GroupDemand, scaling: Scaling): number {
  const { policy } = scaling;
  const additional =
    policy.kind === 'target-wait'
      ? Math.ceil((pending * policy.meanJobSeconds) / policy.targetWaitSeconds)
      : Math.min(pending, workersFor(pending, scaling));
  return Math.min(scaling.max, Math.max(scaling.min, inProgress + additional));
}
