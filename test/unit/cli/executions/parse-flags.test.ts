import { describe, expect, it } from '@jest/globals';
import { parseEnvPairs, parseTimeoutFlag } from '../../../../src/cli/executions/parse-flags.js';
import { explainError } from '../../../../src/cli/output/errors.js';

/** Returns how the command line explains the error of `action`; undefined without an error. */
const explain = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return explainError(error);
  }
  return undefined;
};

describe('parseEnvPairs', () => {
  it.each<[string[], Record<string, string>]>([
    [[], {}],
    [['A=1'], { A: '1' }],
    [['A='], { A: '' }],
    [['A=b=c'], { A: 'b=c' }],
    [['A= b '], { A: ' b ' }],
    [['HERE'], { HERE: 'of this shell' }],
    [['EMPTY'], { EMPTY: '' }],
    [['HERE=own'], { HERE: 'own' }],
    [['A=1', 'B=2', 'A=3'], { A: '3', B: '2' }],
  ])('parses %j', (pairs, env) => {
    expect(parseEnvPairs(pairs, { HERE: 'of this shell', EMPTY: '' })).toEqual(env);
  });

  it.each([
    ['=x', 'expected the name'],
    ['A-B=x', 'expected the name'],
    ['1A=x', 'expected the name'],
    ['', 'expected the name'],
    ['NOT_HERE', '--env NOT_HERE=…'],
  ])('refuses %j as wrong usage', (pair, message) => {
    expect(explain(() => parseEnvPairs([pair], {}))).toEqual({
      message: expect.stringContaining(message),
      details: [],
      exitCode: 2,
    });
  });

  it('shows no value in an error', () => {
    expect(JSON.stringify(explain(() => parseEnvPairs(['A-B=hidden'], {})))).not.toContain('hidden');
  });
});

describe('parseTimeoutFlag', () => {
  it.each([
    ['10m', 600],
    ['90s', 90],
    ['1h 30m', 5400],
    ['500ms', 1],
    ['0', 0],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(parseTimeoutFlag(text)).toBe(seconds);
  });

  it('refuses other text as wrong usage', () => {
    expect(explain(() => parseTimeoutFlag('10'))).toMatchObject({
      message: 'Invalid --timeout "10": expected a duration, for example 90s or 10m',
      exitCode: 2,
    });
  });
});
