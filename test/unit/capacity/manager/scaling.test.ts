import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  backoffMs,
  desiredWorkers,
  type Scaling,
  type ScalingPolicy,
  wantedFor,
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

describe('wantedFor', () => {
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
  ])('%d pending, factor %d, sensitivity %d: %d', (pending, factor, sensitivity, wanted) => {
    expect(wantedFor(pending, { factor, sensitivity })).toBe(wanted);
  });
});

describe('desiredWorkers, logarithmic', () => {
  it.each<[string, number, number, Partial<Scaling>, number]>([
    ['nothing to do', 0, 0, {}, 0],
    ['nothing to do but a minimum', 0, 0, { min: 2 }, 2],
    ['one job waits', 1, 0, {}, 1],
    ['never more than jobs that wait', 3, 0, { sensitivity: 10 }, 3],
    ['busy workers are no spare capacity', 1, 5, {}, 6],
    ['only busy workers', 0, 5, {}, 5],
    ['the logarithm damps a crowd', 100, 0, { factor: 10, sensitivity: 5 }, 12],
    ['a crowd behind busy workers', 100, 8, { factor: 10, sensitivity: 5 }, 20],
    ['held by the maximum', 100_000, 50, { factor: 10, sensitivity: 50, max: 20 }, 20],
    ['held by a maximum of none', 10, 0, { max: 0 }, 0],
    ['more busy than the maximum', 0, 30, { max: 20 }, 20],
  ])('%s', (_, pending, inProgress, changes, desired) => {
    expect(desiredWorkers({ pending, inProgress }, scaling(changes))).toBe(desired);
  });
});

describe('desiredWorkers, target-wait', () => {
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
    '%d pending, %d busy, jobs of %d s, target %d s: %d',
    (pending, inProgress, meanJobSeconds, targetWaitSeconds, desired) => {
      const policy: ScalingPolicy = { kind: 'target-wait', meanJobSeconds, targetWaitSeconds };
      expect(desiredWorkers({ pending, inProgress }, scaling({ policy }))).toBe(desired);
    },
  );
});

describe('whatever the numbers,', () => {
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

  it('desired is a whole number from min to max', () => {
    fc.assert(
      fc.property(count, count, anyScaling, (pending, inProgress, given) => {
        const desired = desiredWorkers({ pending, inProgress }, given);
        expect(Number.isInteger(desired)).toBe(true);
        expect(desired).toBeGreaterThanOrEqual(given.min);
        expect(desired).toBeLessThanOrEqual(given.max);
      }),
    );
  });

  it('more waiting jobs never mean fewer workers', () => {
    fc.assert(
      fc.property(count, count, count, anyScaling, (pending, more, inProgress, given) => {
        expect(desiredWorkers({ pending: pending + more, inProgress }, given)).toBeGreaterThanOrEqual(
          desiredWorkers({ pending, inProgress }, given),
        );
      }),
    );
  });

  it('a waiting job gets a worker beside the busy ones, if the maximum allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(1000), anyScaling, (pending, inProgress, given) => {
        const desired = desiredWorkers({ pending, inProgress }, given);
        expect(desired).toBeGreaterThanOrEqual(Math.min(inProgress + 1, given.max));
      }),
    );
  });
});

describe('backoffMs', () => {
  it('doubles from a second up to five minutes, half of it jitter', () => {
    expect([1, 2, 3, 9, 10, 50, 2000].map((failures) => backoffMs(failures, 1))).toEqual([
      1000, 2000, 4000, 256_000, 300_000, 300_000, 300_000,
    ]);
    expect(backoffMs(3, 0)).toBe(2000);
    expect(backoffMs(3, 0.5)).toBe(3000);
  });
});
