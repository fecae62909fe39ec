import { describe, expect, it } from '@jest/globals';
import { colorLevel, colorStatus, getColors } from '../../../../src/cli/output/colors.js';

const terminal = { isTTY: true, hasColors: () => true };
/** A terminal under `NO_COLOR` or `TERM=dumb`, for which Node.js reports no colors. */
const plainTerminal = { isTTY: true, hasColors: () => false };
const pipe = { isTTY: false };
const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
const green = (text: string) => `\u001b[32m${text}\u001b[39m`;
const yellow = (text: string) => `\u001b[33m${text}\u001b[39m`;

describe('getColors', () => {
  it('colors text on a terminal alone', () => {
    expect([terminal, plainTerminal, pipe].map((stream) => getColors(stream).red('x'))).toEqual([red('x'), 'x', 'x']);
  });
});

describe('colorStatus', () => {
  it.each([
    ['SUCCEEDED', green('SUCCEEDED')],
    ['FAILED', red('FAILED')],
    ['TIMED_OUT', red('TIMED_OUT')],
    ['PENDING', yellow('PENDING')],
    ['ELSEWHERE', 'ELSEWHERE'],
  ])('colors %s', (status, colored) => {
    expect([colorStatus(status, terminal), colorStatus(status, pipe)]).toEqual([colored, status]);
  });
});

describe('colorLevel', () => {
  it.each([
    ['WARN', yellow('WARN')],
    ['error', red('error')],
    ['loud', 'loud'],
  ])('colors %s', (level, colored) => {
    expect([colorLevel(level, terminal), colorLevel(level, pipe)]).toEqual([colored, level]);
  });

  it('colors other text by the level', () => {
    expect(colorLevel('warn', terminal, 'warn ')).toBe(yellow('warn '));
  });
});
