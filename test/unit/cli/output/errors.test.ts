import { describe, expect, it } from '@jest/globals';
import { Errors } from '@oclif/core';
import { explainError } from '../../../../src/cli/output/errors.js';
import { ApiError } from '../../../../src/client/api-error.js';
import { SetupError } from '../../../../src/contract/errors.js';

describe('explainError', () => {
  it.each<[string, unknown, string, unknown[]]>([
    ['a plain error', new Error('broken\n'), 'broken', []],
    ['a text', 'broken', 'broken', []],
    ['undefined', undefined, 'undefined', []],
    ['an error with a hint', new SetupError('No API', { hint: 'Start it.' }), 'No API', ['Start it.']],
    ['an error without a hint', new SetupError('No API'), 'No API', []],
    ['an unreachable API', new ApiError(0, 'No answer'), 'No answer', [expect.stringContaining('reefguide dev')]],
    ['an unknown caller', new ApiError(401, 'Who?'), 'Who?', ['Log in with: reefguide login']],
    ['a forbidden call', new ApiError(403, 'No'), 'No', []],
    [
      'an input with issues',
      new ApiError(400, 'Invalid request', {
        issues: [
          { path: 'inputPayload.id', message: 'expected number' },
          { path: '', message: 'not JSON' },
        ],
      }),
      'Invalid request',
      ['  inputPayload.id: expected number', '  input: not JSON'],
    ],
    [
      'a fault of the server',
      new ApiError(500, 'Something went wrong', { requestId: 'abc-1' }),
      'Something went wrong',
      [expect.stringContaining('reefguide trace abc-1')],
    ],
    ['a busy server without a request id', new ApiError(503, 'Later'), 'Later', []],
    ['a failure of oclif', new Errors.CLIError('failed', { exit: 1 }), 'failed', []],
  ])('explains %s', (_, error, message, details) => {
    expect(explainError(error)).toEqual({ message, details, exitCode: 1 });
  });

  it('gives wrong usage the exit code 2', () => {
    expect(explainError(new Errors.CLIError('bad flag', { exit: 2 }))).toEqual({
      message: 'bad flag',
      details: [],
      exitCode: 2,
    });
  });

  it('shows no stack', () => {
    expect(JSON.stringify(explainError(new Error('broken')))).not.toContain('errors.test');
  });
});
