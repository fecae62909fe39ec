import { describe, expect, it } from '@jest/globals';
import { isHealthy } from '../../../../src/cli/capacity/monitor.js';

describe('a manager', () => {
  it.each([
    [undefined, 0, false],
    [0, 30_000, true],
    [0, 30_001, false],
  ])('whose last turn succeeded at %s is, at %d, healthy: %s', (lastSuccessAt, nowMs, healthy) => {
    expect(isHealthy({ lastSuccessAt }, 3000, nowMs)).toBe(healthy);
  });
});
