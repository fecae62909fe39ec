import { describe, expect, it } from '@jest/globals';
import { includesAll, toImageFamily } from '../../../../../src/executions/runners/ecs/task-definitions.js';

describe('toImageFamily', () => {
  it('returns a readable family of allowed characters, another for every image', () => {
    const images = [
      'alpine:3.22',
      'alpine-3.22',
      'alpine@sha256:1',
      'registry:5000/a/alpine:3.22',
      `a/${'x'.repeat(250)}`,
    ];
    const families = images.map((image) => toImageFamily('reef-execution', image));
    expect(new Set(families).size).toBe(images.length);
    expect(families[0]).toMatch(/^reef-execution-alpine-3-22-[0-9a-f]{12}$/);
    for (const family of families) expect(family).toMatch(/^[A-Za-z0-9-]{1,255}$/);
  });
});

describe('includesAll', () => {
  it.each([
    ['equal values', 1, 1, true],
    ['different values', 1, 2, false],
    ['a field that AWS added', { a: 1, b: 2 }, { a: 1 }, true],
    ['a missing field', { a: 1 }, { a: 1, b: 2 }, false],
    ['a field that should be unset', { a: 1 }, { a: undefined }, false],
    ['nested fields', { a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }] }, true],
    ['an item more', [1, 2], [1], false],
    ['an object instead of an array', {}, [], false],
  ])('compares %s', (_, actual, expected, result) => {
    expect(includesAll(actual, expected)).toBe(result);
  });
});
