import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../../src/contract/errors.js';
import { safeParts } from '../../../src/storage/paths.js';

const accepts = (given: string): boolean => {
  try {
    safeParts(given);
    return true;
  } catch (error) {
    if (error instanceof ServiceError && error.kind === 'invalid') return false;
    throw error;
  }
};

describe('safeParts', () => {
  it.each([
    'a',
    'a/b/c.txt',
    'TEST/1/2/file with spaces.txt',
    'ülme/珊瑚.geojson',
    '.hidden/..almost/...',
    'a:b?c#d%2e',
    'x'.repeat(255),
    Array.from({ length: 500 }, () => 'a').join('/'),
  ])('accepts %j', (given) => {
    expect(safeParts(given)).toEqual(given.split('/'));
  });

  it.each([
    '',
    '/',
    '/etc/passwd',
    'a/',
    'a//b',
    '.',
    '..',
    './a',
    '../a',
    'a/..',
    'a/../../b',
    'a/./b',
    'C:\\Windows',
    'a\\..\\b',
    'a\0b',
    'a\nb',
    'a\x7f',
    'x'.repeat(256),
    'é'.repeat(128),
    'aa/'.repeat(400),
  ])('refuses %j', (given) => {
    expect(() => safeParts(given)).toThrow(expect.objectContaining({ kind: 'invalid', message: 'Invalid file path' }));
  });

  const risky = fc.constantFrom(
    '..',
    '.',
    '',
    'a',
    '~',
    '/',
    '\\',
    '\0',
    '%2e%2e',
    '..;',
    'C:',
    ' ',
    '..\u2215',
    '\u202e',
  );
  const paths = fc.oneof(
    fc.array(risky, { maxLength: 8 }).map((parts) => parts.join('/')),
    fc.array(risky, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );

  it.each(['posix', 'win32'] as const)('never gives parts that leave the root (%s)', (system) => {
    const { resolve, join, sep } = path[system];
    const root = resolve(system === 'win32' ? 'C:\\store' : '/store');
    fc.assert(
      fc.property(paths, (given) => {
        if (!accepts(given)) return;
        // `C:` as a part means a drive on Windows, where join keeps it below the root all the same.
        expect(resolve(join(root, ...safeParts(given))).startsWith(root + sep)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('gives each path a place of its own', () => {
    fc.assert(
      fc.property(paths, (given) => {
        if (accepts(given)) expect(safeParts(given).join('/')).toBe(given);
      }),
    );
  });
});
