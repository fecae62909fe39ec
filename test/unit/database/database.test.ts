import { describe, expect, it } from '@jest/globals';
import { toIsoTime } from '../../../src/database/database.js';

describe('toIsoTime', () => {
  it.each([
    ['2026-03-01 04:05:06+00', '2026-03-01T04:05:06.000Z'],
    ['2026-03-01 04:05:06.7+00', '2026-03-01T04:05:06.700Z'],
    ['2026-03-01 04:05:06.78+00', '2026-03-01T04:05:06.780Z'],
    ['2026-03-01 04:05:06.789+00', '2026-03-01T04:05:06.789Z'],
  ])('converts %s to %s', (text, iso) => {
    expect(toIsoTime(text)).toBe(iso);
    expect(new Date(iso).toISOString()).toBe(iso);
  });
});
