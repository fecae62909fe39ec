import { describe, expect, it } from '@jest/globals';
import { describeExecution, getExitCode } from '../../../../src/cli/executions/outcome.js';
import type { ExecutionState } from '../../../../src/contract/executions.js';

describe('getExitCode', () => {
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
  ])('returns for %s with code %s: %d', (status, exit_code, code) => {
    expect(getExitCode({ status, exit_code })).toBe(code);
  });
});

describe('describeExecution', () => {
  it('names the exit code and the duration of an ended execution', () => {
    const state: ExecutionState = {
      execution_id: 'abc',
      status: 'FAILED',
      command: 'false',
      image_id: 'x',
      started_at: '2026-03-01T04:05:00.000Z',
      exit_code: 3,
      completed_at: '2026-03-01T04:06:05.000Z',
    };
    expect(describeExecution(state)).toBe('Execution abc FAILED with exit code 3 after 1m 5s');
    const { completed_at: _, ...running } = state;
    expect(describeExecution({ ...running, exit_code: null })).toBe('Execution abc FAILED');
  });
});
