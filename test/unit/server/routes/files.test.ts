import { describe, expect, it } from '@jest/globals';
import { clipSuffixRange } from '../../../../src/server/routes/files.js';

describe('clipSuffixRange', () => {
  it.each([
    ['a suffix longer than the file', 'bytes=-1000', 100, 'bytes=-100'],
    ['a suffix of an empty file', 'bytes=-5', 0, 'bytes=-0'],
  ])('limits %s to the size', (_, header, bytes, clipped) => {
    expect(clipSuffixRange(header, bytes)).toBe(clipped);
  });

  it.each([
    'bytes=-10',
    'bytes=-0',
    'bytes=0-9',
    'bytes=90-',
    'bytes=0-1,5-6',
    'bytes=-5-9',
    'bytes=-',
    'lines=0-9',
    undefined,
  ])('keeps %s as sent', (header) => {
    expect(clipSuffixRange(header, 100)).toBe(header);
  });
});
