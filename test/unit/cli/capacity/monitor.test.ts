import { describe, expect, it } from '@jest/globals';
import { isHealthy } from '../../../../src/cli/capacity/monitor.js';

describe('isHealthy', () => {
  it.each([
    [undefined, 0, false],
    [0, 30_000, true],
    [0, 30_001, false],
  ])('for a last success at %s ms, at %d ms: %s', (lastSuccessAt, nowMs, healthy) => {
    expect(isHealthy({ lastSuccessAt }, 3000, nowMs)).toBe(healthy);
  });
});
