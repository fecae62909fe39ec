import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration } from '../../../src/cli/output/format.js';
import { parseDuration } from '../../../src/platform/duration.js';

describe('parseDuration', () => {
  it.each([
    ['2m', 120_000],
    ['90s', 90_000],
    ['1h 30m', 5_400_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    [' 5 s ', 5000],
    ['0s', 0],
  ])('reads %j as %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', ' ', '5', 's', '-5s', '5x', '5s later', 'in 5s', '1,5h', '1e3s', 'Infinity', '5 m s'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('reads every duration that formatDuration writes', () => {
    fc.assert(
      fc.property(fc.nat(3599), (seconds) => expect(parseDuration(formatDuration(seconds))).toBe(seconds * 1000)),
    );
  });
});
