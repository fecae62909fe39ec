import { describe, expect, it } from '@jest/globals';
import { parseEnvPairs } from '../../../../src/cli/executions/parse-flags.js';
import { describeEnd, exitCodeOf, parseTimeout } from '../../../../src/cli/executions/run-command.js';
import { explain } from '../../../../src/cli/output/errors.js';
import { brief } from '../../../../src/cli/output/execution-table.js';
import { createLogLines, localTime } from '../../../../src/cli/output/log-lines.js';
import { nearest } from '../../../../src/cli/playbooks/nearest-name.js';
import type { ExecutionState } from '../../../../src/contract/executions.js';

const errorOf = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return explain(error);
  }
  return undefined;
};

describe('--env', () => {
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
  ])('%j', (pairs, env) => {
    expect(parseEnvPairs(pairs, { HERE: 'of this shell', EMPTY: '' })).toEqual(env);
  });

  it.each([
    ['=x', 'expected the name'],
    ['A-B=x', 'expected the name'],
    ['1A=x', 'expected the name'],
    ['', 'expected the name'],
    ['NOT_HERE', '--env NOT_HERE=…'],
  ])('%j is wrong usage', (pair, message) => {
    expect(errorOf(() => parseEnvPairs([pair], {}))).toEqual({
      lines: [expect.stringContaining(message)],
      exitCode: 2,
    });
  });

  it('shows no value in an error', () => {
    expect(JSON.stringify(errorOf(() => parseEnvPairs(['A-B=hidden'], {})))).not.toContain('hidden');
  });
});

describe('--timeout', () => {
  it.each([
    ['10m', 600],
    ['90s', 90],
    ['1h 30m', 5400],
    ['500ms', 1],
    ['0', 0],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseTimeout(text)).toBe(seconds);
  });

  it('anything else is wrong usage', () => {
    expect(errorOf(() => parseTimeout('10'))?.exitCode).toBe(2);
  });
});

describe('the exit code', () => {
  it.each<[ExecutionState['status'], number | null, number]>([
    ['SUCCEEDED', 0, 0],
    ['SUCCEEDED', null, 0],
    ['FAILED', 1, 1],
    ['FAILED', 42, 42],
    ['FAILED', 255, 255],
    ['FAILED', null, 1],
    ['FAILED', 0, 1],
    ['FAILED', 256, 1],
    ['FAILED', -1, 1],
    ['STOPPED', 130, 130],
    ['STOPPED', null, 1],
  ])('of %s with %s is %d', (status, exit_code, code) => {
    expect(exitCodeOf({ status, exit_code })).toBe(code);
  });

  it('stands in the last line, with how long it took', () => {
    const state: ExecutionState = {
      execution_id: 'abc',
      status: 'FAILED',
      command: 'false',
      image_id: 'x',
      started_at: '2026-03-01T04:05:00.000Z',
      exit_code: 3,
      completed_at: '2026-03-01T04:06:05.000Z',
    };
    expect(describeEnd(state)).toBe('Execution abc FAILED with exit code 3 after 1m 5s');
    const { completed_at: _, ...open } = state;
    expect(describeEnd({ ...open, exit_code: null })).toBe('Execution abc FAILED');
  });
});

describe('log lines', () => {
  const at = new Date(2026, 2, 1, 9, 5, 7).getTime();
  const show = (isTTY: boolean, ...messages: string[]) => {
    let text = '';
    const lines = createLogLines({
      isTTY,
      write: (chunk: string | Uint8Array) => {
        text += String(chunk);
        return true;
      },
    });
    for (const message of messages) lines.show({ timestamp: at, message });
    return text;
  };
  const noColor = process.env.NO_COLOR;
  const withColor = (action: () => void) => {
    delete process.env.NO_COLOR;
    try {
      action();
    } finally {
      if (noColor !== undefined) process.env.NO_COLOR = noColor;
    }
  };

  it('have a number and the local time', () => {
    expect(localTime(at)).toBe('09:05:07');
    expect(show(false, 'one', '', 'three\n')).toBe('   1  09:05:07  one\n   2  09:05:07  \n   3  09:05:07  three\n');
  });

  it('go on under each other when a message has several', () => {
    expect(show(false, 'a\nb\r\n')).toBe(`   1  09:05:07  a\n${' '.repeat(16)}b\n`);
  });

  it('have dim numbers on a terminal', () => {
    withColor(() => expect(show(true, 'one')).toBe('\u001b[2m   1\u001b[22m  09:05:07  one\n'));
    process.env.NO_COLOR = '1';
    expect(show(true, 'one')).not.toContain('\u001b');
    if (noColor === undefined) delete process.env.NO_COLOR;
  });

  it('number on past 9,999', () => {
    const text = show(false, ...Array.from({ length: 10_000 }, () => 'x'));
    expect(text.split('\n').at(-2)).toBe('10000  09:05:07  x');
  });
});

describe('the nearest name', () => {
  it.each([
    ['comands', 'commands'],
    ['image_', 'image'],
    ['Images', 'image'],
    ['repo', 'git_repo'],
    ['gitref', 'git_ref'],
    ['x', undefined],
    ['', undefined],
    ['schedule', undefined],
  ])('to %j is %s', (given, name) => {
    expect(nearest(given, ['commands', 'image', 'git_repo', 'git_ref', 'env'])).toBe(name);
  });
});

describe('a brief command', () => {
  it.each([
    ['echo a', 'echo a'],
    ['a\nb', 'a…'],
    ['x'.repeat(48), 'x'.repeat(48)],
    ['x'.repeat(49), `${'x'.repeat(47)}…`],
  ])('%j', (command, shown) => {
    expect(brief(command)).toBe(shown);
  });
});
