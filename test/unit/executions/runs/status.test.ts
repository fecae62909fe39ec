import { describe, expect, it } from '@jest/globals';
import { hasEnded, executionStatuses as statuses } from '../../../../src/contract/executions.js';
import { liveStatuses, mayBecome, statusesBefore } from '../../../../src/executions/runs/status.js';

/** Row: from, column: to, in the order of the list. */
const table = `
               STARTING RUNNING SUCCEEDED FAILED STOPPED TERMINATING
STARTING       .        yes     .         yes    .       yes
RUNNING        .        .       yes       yes    yes     yes
SUCCEEDED      .        .       .         .      .       .
FAILED         .        .       .         .      .       .
STOPPED        .        .       .         .      .       .
TERMINATING    .        .       .         .      yes     .`
  .trim()
  .split('\n')
  .map((row) => row.trim().split(/\s+/));
const cells = table
  .slice(1)
  .flatMap(([from = '', ...row]) => row.map((cell, n) => [from, table[0]?.[n] ?? '', cell === 'yes'] as const));

it('the table of the test names each pair of statuses once', () => {
  expect(new Set(cells.map(([from, to]) => `${from} ${to}`)).size).toBe(statuses.length ** 2);
});

describe.each(statuses)('mayBecome: a transition from %s', (from) => {
  it.each(statuses)('to %s is allowed as the table says', (to) => {
    const expected = cells.find((cell) => cell[0] === from && cell[1] === to)?.[2];
    expect(mayBecome(from, to)).toBe(expected);
    expect(statusesBefore(to).includes(from)).toBe(expected);
  });
});

it('liveStatuses: contains the statuses that have not ended', () => {
  expect(statuses.filter(hasEnded)).toEqual(['SUCCEEDED', 'FAILED', 'STOPPED']);
  expect(liveStatuses).toEqual(['STARTING', 'RUNNING', 'TERMINATING']);
});
