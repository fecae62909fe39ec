import { describe, expect, it } from '@jest/globals';
import { abbreviate } from '../../../../src/cli/output/resources.js';

describe('abbreviate', () => {
  it.each([
    ['echo a', 'echo a'],
    ['a\nb', 'a…'],
    ['x'.repeat(48), 'x'.repeat(48)],
    ['x'.repeat(49), `${'x'.repeat(47)}…`],
  ])('shortens %j to %j', (text, short) => {
    expect(abbreviate(text)).toBe(short);
  });
});
