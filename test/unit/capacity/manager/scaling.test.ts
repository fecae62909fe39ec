import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  desiredWorkers,
  type Scaling,
  type ScalingPolicy,
  workersFor,
} from '../../../../src/capacity/manager/scaling.js';

const scaling = (changes: Partial<Scaling> = {}): Scaling => ({
  min: 0,
  max: 1000,
  factor: 1,
  sensitivity: 1,
  cooldownSeconds: 0,
  policy: { kind: 'logarithmic' },
  ...changes,
});

describe('workersFor', () => {
  it.each([
    // pending, factor, sensitivity, round(sensitivity * ln(pending / factor + 1))
    [0, 1, 1, 0],
    [1, 1, 1, 1],
    [1, 10, 1, 1],
    [10, 1, 1, 2],
    [10, 10, 1, 1],
    [100, 10, 1, 2],
    [100, 10, 5, 12],
    [1000, 10, 5, 23],
    [100_000, 10, 5, 46],
    [3, 1, 10, 14],
  ])(
    'gives %d pending jobs with factor %d and sensitivity %d as many as %d workers',
    (pending, factor, sensitivity, workers) => {
      expect(workersFor(pending, { factor, sensitivity })).toBe(workers);
    },
  );
});

describe('desiredWorkers with the logarithmic policy', () => {
  it.each<[string, number, number, Partial<Scaling>, number]>([
    ['returns 0 without demand', 0, 0, {}, 0],
    ['returns the minimum without demand', 0, 0, { min: 2 }, 2],
    ['returns 1 for one waiting job', 1, 0, {}, 1],
    ['returns no more than the waiting jobs', 3, 0, { sensitivity: 10 }, 3],
    ['adds a worker to busy workers for a waiting job', 1, 5, {}, 6],
    ['returns the busy workers when no job waits', 0, 5, {}, 5],
    ['grows with the logarithm of a long queue', 100, 0, { factor: 10, sensitivity: 5 }, 12],
    ['adds busy workers to those for a long queue', 100, 8, { factor: 10, sensitivity: 5 }, 20],
    ['returns no more than the maximum', 100_000, 50, { factor: 10, sensitivity: 50, max: 20 }, 20],
    ['returns 0 for a maximum of 0', 10, 0, { max: 0 }, 0],
    ['returns the maximum when more workers are busy', 0, 30, { max: 20 }, 20],
  ])('%s', (_, pending, inProgress, changes, desired) => {
    expect(desiredWorkers({ pending, inProgress }, scaling(changes))).toBe(desired);
  });
});

describe('desiredWorkers with the target-wait policy', () => {
  it.each([
    // pending, busy, mean seconds of a job, target seconds, desired
    [0, 0, 60, 600, 0],
    [1, 0, 60, 600, 1],
    [10, 0, 60, 600, 1],
    [11, 0, 60, 600, 2],
    [100, 4, 60, 600, 14],
    [5, 0, 1200, 600, 10],
    [100_000, 0, 600, 60, 1000],
  ])(
    'with %d pending and %d busy, jobs of %d s and a target of %d s, returns %d',
    (pending, inProgress, meanJobSeconds, targetWaitSeconds, desired) => {
      const policy: ScalingPolicy = { kind: 'target-wait', meanJobSeconds, targetWaitSeconds };
      expect(desiredWorkers({ pending, inProgress }, scaling({ policy }))).toBe(desired);
    },
  );
});

describe('desiredWorkers with any numbers', () => {
  const positive = fc.double({ min: 0.001, max: 1000, noNaN: true });
  const anyScaling = fc
    .record({
      min: fc.nat(100),
      more: fc.nat(900),
      factor: positive,
      sensitivity: positive,
      policy: fc.oneof(
        fc.constant<ScalingPolicy>({ kind: 'logarithmic' }),
        fc.record({ kind: fc.constant('target-wait' as const), targetWaitSeconds: positive, meanJobSeconds: positive }),
      ),
    })
    .map(({ min, more, ...rest }) => scaling({ ...rest, min, max: min + more }));
  const count = fc.nat(1_000_000);

  it('returns a whole number from min to max', () => {
    fc.assert(
      fc.property(count, count, anyScaling, (pending, inProgress, given) => {
        const desired = desiredWorkers({ pending, inProgress }, given);
        expect(Number.isInteger(desired)).toBe(true);
        expect(desired).toBeGreaterThanOrEqual(given.min);
        expect(desired).toBeLessThanOrEqual(given.max);
      }),
    );
  });

  it('never returns fewer workers for more waiting jobs', () => {
    fc.assert(
      fc.property(count, count, count, anyScaling, (pending, more, inProgress, given) => {
        expect(desiredWorkers({ pending: pending + more, inProgress }, given)).toBeGreaterThanOrEqual(
          desiredWorkers({ pending, inProgress }, given),
        );
      }),
    );
  });

  it('returns more than the busy workers for a waiting job, up to the maximum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(1000), anyScaling, (pending, inProgress, given) => {
        const desired = desiredWorkers({ pending, inProgress }, given);
        expect(desired).toBeGreaterThanOrEqual(Math.min(inProgress + 1, given.max));
      }),
    );
  });
});
