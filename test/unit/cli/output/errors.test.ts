import { describe, expect, it } from '@jest/globals';
import { Errors } from '@oclif/core';
import { explain } from '../../../../src/cli/output/errors.js';
import { ApiError } from '../../../../src/client/api.js';
import { SetupError } from '../../../../src/contract/errors.js';

describe('explain', () => {
  it.each<[string, unknown, unknown[], number]>([
    ['a plain error', new Error('broken\n'), ['Error: broken'], 1],
    ['a text', 'broken', ['Error: broken'], 1],
    ['nothing', undefined, ['Error: undefined'], 1],
    ['an error with a hint', new SetupError('No API', { hint: 'Start it.' }), ['Error: No API', 'Start it.'], 1],
    ['an error without one', new SetupError('No API'), ['Error: No API'], 1],
    [
      'an API that is away',
      new ApiError(0, 'It does not answer'),
      ['Error: It does not answer', expect.stringContaining('reefguide dev')],
      1,
    ],
    ['a caller unknown', new ApiError(401, 'Who?'), ['Error: Who?', 'Log in with: reefguide login'], 1],
    ['a caller not allowed', new ApiError(403, 'No'), ['Error: No'], 1],
    [
      'an input with issues',
      new ApiError(400, 'Invalid request', {
        issues: [
          { path: 'inputPayload.id', message: 'expected number' },
          { path: '', message: 'not JSON' },
        ],
      }),
      ['Error: Invalid request', '  inputPayload.id: expected number', '  input: not JSON'],
      1,
    ],
    [
      'a fault of the server',
      new ApiError(500, 'Something went wrong', { requestId: 'abc-1' }),
      ['Error: Something went wrong', expect.stringContaining('reefguide trace abc-1')],
      1,
    ],
    ['a server that is busy, unnamed', new ApiError(503, 'Later'), ['Error: Later'], 1],
    ['wrong usage', new Errors.CLIError('bad flag', { exit: 2 }), ['Error: bad flag'], 2],
    ['a failure of oclif', new Errors.CLIError('failed', { exit: 1 }), ['Error: failed'], 1],
  ])('%s', (_, error, lines, exitCode) => {
    expect(explain(error)).toEqual({ lines, exitCode });
  });

  it('shows no stack', () => {
    expect(explain(new Error('broken')).lines.join('\n')).not.toContain('errors.test');
  });
});
