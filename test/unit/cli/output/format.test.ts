import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ago, bytes, duration, parseDuration } from '../../../../src/cli/output/format.js';

const now = Date.parse('2026-03-01T12:00:00.000Z');
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();

describe('ago', () => {
  it.each<[number, string]>([
    [0, 'just now'],
    [-0.4, 'just now'],
    [-1, '1 second ago'],
    [-59, '59 seconds ago'],
    [-60, '1 minute ago'],
    [-119, '1 minute ago'],
    [-3600, '1 hour ago'],
    [-86_400 * 2, '2 days ago'],
    [-86_400 * 40, '1 month ago'],
    [-86_400 * 800, '2 years ago'],
    [7200, 'in 2 hours'],
  ])('%d s: %s', (seconds, text) => {
    expect(ago(at(seconds), now)).toBe(text);
  });

  it.each([null, undefined, ''])('no time (%s) is a dash', (time) => {
    expect(ago(time, now)).toBe('-');
  });
});

describe('duration', () => {
  it.each([
    [0, '0s'],
    [0.4, '0s'],
    [1, '1s'],
    [59.6, '1m'],
    [125, '2m 5s'],
    [3600, '1h'],
    [3725, '1h 2m'],
    [90_000, '25h'],
  ])('%d s: %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

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
  ])('%j is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', ' ', '5', 's', '-5s', '5x', '5s later', 'in 5s', '1,5h', '1e3s', 'Infinity', '5 m s'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('reads back what duration writes', () => {
    fc.assert(fc.property(fc.nat(3599), (seconds) => parseDuration(duration(seconds)) === seconds * 1000));
  });
});

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1500, '1.5 kB'],
    [9960, '10 kB'],
    [12_345, '12 kB'],
    [999_499, '999 kB'],
    [999_999, '1.0 MB'],
    [1_500_000_000, '1.5 GB'],
    [2e15, '2000 TB'],
  ])('%d is %s', (count, text) => {
    expect(bytes(count)).toBe(text);
  });
});
