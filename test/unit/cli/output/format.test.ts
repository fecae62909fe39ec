import { describe, expect, it } from '@jest/globals';
import { formatAge, formatBytes, formatDuration } from '../../../../src/cli/output/format.js';

const now = Date.parse('2026-03-01T12:00:00.000Z');
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();

describe('formatAge', () => {
  it.each<[number, string]>([
    [0, 'just now'],
    [-0.4, 'just now'],
    [-1, '1 second ago'],
    [-59, '59 seconds ago'],
    [-60, '1 minute ago'],
    [-119, '1 minute ago'],
    [-3600, '1 hour ago'],
    [-86_400 * 2, '2 days ago'],
    [-86_400 * 40, '40 days ago'],
    [-86_400 * 800, '2 years ago'],
    [7200, 'in 2 hours'],
  ])('formats %d seconds from now as %s', (seconds, text) => {
    expect(formatAge(at(seconds), now)).toBe(text);
  });

  it.each([null, undefined, ''])('formats no time (%s) as a dash', (time) => {
    expect(formatAge(time, now)).toBe('-');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [0.4, '0s'],
    [1, '1s'],
    [59.6, '1m'],
    [125, '2m 5s'],
    [3600, '1h'],
    [3725, '1h 2m'],
    [90_000, '25h'],
  ])('formats %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1500, '1.5 kB'],
    [9960, '9.96 kB'],
    [12_345, '12.3 kB'],
    [999_499, '999 kB'],
    [999_999, '1 MB'],
    [1_500_000_000, '1.5 GB'],
    [2e15, '2 PB'],
  ])('formats %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
