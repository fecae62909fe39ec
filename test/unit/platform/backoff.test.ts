import { expect, it } from '@jest/globals';
import { backoffMs } from '../../../src/platform/backoff.js';

it.each([
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [9, 256_000],
  [10, 300_000],
  [2_000, 300_000],
])('backoffMs: waits between half and all of the doubled time after %d failures', (failures, fullMs) => {
  const bounds = { minMs: 1_000, maxMs: 300_000 };
  expect(backoffMs(failures, { ...bounds, random: () => 0 })).toBe(fullMs / 2);
  expect(backoffMs(failures, { ...bounds, random: () => 1 })).toBe(fullMs);
});
