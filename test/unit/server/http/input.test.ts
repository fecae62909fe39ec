import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { ServiceError } from '../../../../src/contract/errors.js';
import { checkJson, parse } from '../../../../src/server/http/input.js';

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let n = 0; n < levels; n += 1) value = n % 2 ? { a: value } : [value];
  return value;
};
const catchIssues = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof ServiceError) return error.issues;
    throw error;
  }
  return undefined;
};

describe('checkJson', () => {
  it('accepts ordinary JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 10 }), (value) => {
        const text = JSON.stringify(value);
        if (/\\u0000|\\ud[89a-f]|__proto__/i.test(text)) return;
        expect(catchIssues(() => checkJson(value))).toBeUndefined();
      }),
    );
  });

  it('accepts 64 levels and refuses 65', () => {
    expect(catchIssues(() => checkJson(nested(64)))).toBeUndefined();
    expect(catchIssues(() => checkJson(nested(65)))).toEqual([
      { path: expect.any(String), message: 'is nested deeper than 64 levels' },
    ]);
  });

  it('refuses 100,000 levels without exhausting the stack', () => {
    expect(catchIssues(() => checkJson(nested(100_000)))).toHaveLength(1);
  });

  it.each([
    ['{"a":[1,{"b":"x\\u0000y"}]}', 'a.1.b', 'NUL'],
    ['{"a":{"b\\u0000":1}}', 'a', 'NUL'],
    ['{"a":[1e999]}', 'a.0', 'out of range'],
    ['-1e999', '', 'out of range'],
    ['{"a":{"__proto__":{}}}', 'a', '__proto__'],
    ['{"__proto__":null}', '', '__proto__'],
    ['{"a":"\\ud800"}', 'a', 'surrogate'],
    ['{"a":{"\\udfff":1}}', 'a', 'surrogate'],
  ])('refuses %s at "%s"', (text, path, message) => {
    expect(catchIssues(() => checkJson(JSON.parse(text)))).toEqual([
      { path, message: expect.stringContaining(message) },
    ]);
  });

  it('accepts characters beyond the basic plane', () => {
    expect(catchIssues(() => checkJson({ '🐠': '🪸' }))).toBeUndefined();
  });
});

describe('parse', () => {
  const schema = z.strictObject({ a: z.array(z.strictObject({ b: z.number() })), c: z.string() });

  it('reports every issue with its path', () => {
    expect(catchIssues(() => parse(schema, { a: [{ b: 1 }, { b: 'x' }] }, ''))?.map(({ path }) => path)).toEqual([
      'a.1.b',
      'c',
    ]);
  });

  it('prefixes the path with the part of the request', () => {
    expect(catchIssues(() => parse(z.strictObject({ id: z.string() }), {}, 'params'))?.[0]?.path).toBe('params.id');
  });

  it('reports at most a hundred issues', () => {
    expect(catchIssues(() => parse(schema, { a: new Array(5000).fill({}), c: '' }, ''))).toHaveLength(100);
  });
});
