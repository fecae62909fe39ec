/** How a group of workers follows its demand. */
export interface Scaling {
  min: number;
  max: number;
  /** Jobs that wait for each step of the logarithm. */
  factor: number;
  /** Workers for each step. */
  sensitivity: number;
  cooldownSeconds: number;
  policy: ScalingPolicy;
}

export type ScalingPolicy =
  | { kind: 'logarithmic' }
  /** Workers that clear the backlog within the target, given how long a job takes on average. */
  | { kind: 'target-wait'; targetWaitSeconds: number; meanJobSeconds: number };

/** Waiting and running jobs of a group's types. */
export interface GroupDemand {
  pending: number;
  inProgress: number;
}

const clamp = (value: number, { min, max }: Pick<Scaling, 'min' | 'max'>) => Math.min(max, Math.max(min, value));

/** Workers for `pending` jobs: `max(1 if p > 0, round(sensitivity * ln(p / factor + 1)))`. */
export function wantedFor(pending: number, { sensitivity, factor }: Pick<Scaling, 'sensitivity' | 'factor'>): number {
  return Math.max(pending > 0 ? 1 : 0, Math.round(sensitivity * Math.log(pending / factor + 1)));
}

/**
 * How many workers a group should have. Busy workers are not spare capacity, so jobs that wait behind long ones get
 * workers of their own: `clamp(b + min(p, wanted(p)), min, max)`, or, to clear the backlog within a target,
 * `clamp(b + ceil(p * meanJobSeconds / targetWaitSeconds), min, max)`.
 */
export function desiredWorkers({ pending, inProgress }: GroupDemand, scaling: Scaling): number {
  const { policy } = scaling;
  const more =
    policy.kind === 'target-wait'
      ? Math.ceil((pending * policy.meanJobSeconds) / policy.targetWaitSeconds)
      : Math.min(pending, wantedFor(pending, scaling));
  return clamp(inProgress + more, scaling);
}

/** Milliseconds to wait after `failures` failures in a row: doubling from 1 s up to 5 min, with jitter (0..1) over half of it. */
export function backoffMs(failures: number, jitter: number): number {
  const full = Math.min(300_000, 1000 * 2 ** (failures - 1));
  return full / 2 + (full / 2) * jitter;
}
