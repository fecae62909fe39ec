import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, jobHash } from '../../../src/jobs/cache-key.js';

/** Reverses the order of the keys of every object. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

/** Compares JSON by its definition rather than by its text. */
function equalAsJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, n) => equalAsJson(item, b[n]))
    );
  }
  if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
    const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
    return (
      left.size === right.size && [...left].every(([key, item]) => right.has(key) && equalAsJson(item, right.get(key)))
    );
  }
  // JSON has a single zero, and `-0 === 0`.
  return a === b;
}

const json = fc.jsonValue({ maxDepth: 4 });
/** Few keys and few leaves, so that two values are often nearly, and sometimes fully, equal. */
const nearlyEqual = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(0, -0, 1, '1', '', null, true, false),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '', '1', '__proto__'), tie('value'), { maxKeys: 2 }),
  ),
})).value;

describe('canonicalJson', () => {
  it.each([
    ['sorts keys at every level', { b: 1, a: { d: 2, c: 3 } }, '{"a":{"c":3,"d":2},"b":1}'],
    ['sorts keys that look like numbers as text', { 10: 1, 9: 2 }, '{"10":1,"9":2}'],
    ['keeps the order of arrays', [3, 1, 2], '[3,1,2]'],
    ['drops undefined fields, as JSON does', { a: undefined, b: 1 }, '{"b":1}'],
    ['writes undefined in an array as null', [undefined], '[null]'],
    ['writes minus zero as zero', -0, '0'],
    ['writes undefined as null', undefined, 'null'],
    ['escapes keys', { 'a"b': 1 }, '{"a\\"b":1}'],
  ])('%s', (_, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('writes text that parses to the same JSON', () => {
    fc.assert(fc.property(json, (value) => expect(equalAsJson(JSON.parse(canonicalJson(value)), value)).toBe(true)));
  });
});

describe('jobHash', () => {
  it('ignores the order of keys', () => {
    fc.assert(fc.property(json, (value) => expect(jobHash('TEST', reversed(value))).toBe(jobHash('TEST', value))));
  });

  it('returns equal hashes exactly for payloads that are equal as JSON', () => {
    fc.assert(
      fc.property(nearlyEqual, nearlyEqual, (a, b) =>
        expect(jobHash('TEST', a) === jobHash('TEST', b)).toBe(equalAsJson(a, b)),
      ),
      { numRuns: 2000 },
    );
  });

  it('differs between types', () => {
    expect(jobHash('A', {})).not.toBe(jobHash('B', {}));
  });

  it('returns a SHA-256 in hex', () => {
    expect(jobHash('TEST', { id: 1 })).toMatch(/^[0-9a-f]{64}$/);
  });
});
