import { describe, expect, it } from '@jest/globals';
import { useFakeExecutionsApi } from '../../support/commands/use-fake-executions-api.js';

const { api, answer, run } = useFakeExecutionsApi();

describe('run', () => {
  it('exits with 0 after a success, and with 1 after a failure without a code', async () => {
    api().plan({ end: { status: 'SUCCEEDED', exitCode: 0 } });
    expect((await run(['run', 'true'])).code).toBe(0);
    api().plan({ end: { status: 'FAILED', exitCode: null } });
    expect((await run(['run', 'true'])).code).toBe(1);
  });

  it('sends all its flags', async () => {
    api().plan({ end: { status: 'SUCCEEDED', exitCode: 0 } });
    const flags = ['--image', 'a/b:1', '--env', 'A=1=2', '--env', 'FROM_HERE', '--secret', 's1', '--secret', 's2'];
    const git = ['--timeout', '10m', '--git-repo', 'https://a/b.git', '--git-ref', 'main', '--git-path', 'c'];
    // The flags stand before the command too, because a flag with several values must not take the command as a value.
    expect((await run(['run', ...flags, 'make it', ...git], { FROM_HERE: 'here' })).code).toBe(0);
    expect(api().last()?.body).toEqual({
      command: 'make it',
      image: 'a/b:1',
      env: { A: '1=2', FROM_HERE: 'here' },
      secrets: ['s1', 's2'],
      timeout: 600,
      git_repo: 'https://a/b.git',
      git_ref: 'main',
      git_path: 'c',
    });
    expect(api().requests.every(({ apiKey }) => apiKey === 'the key')).toBe(true);
  });

  it('sends only the command without flags', async () => {
    api().plan({ end: { status: 'SUCCEEDED', exitCode: 0 } });
    await run(['run', 'true']);
    expect(api().last()?.body).toEqual({ command: 'true' });
  });

  it('prints the id and the next steps with --detach', async () => {
    const { code, stdout, stderr } = await run(['run', 'sleep 60', '--detach']);
    const id = api().last()?.state.execution_id;
    expect([code, stdout]).toEqual([0, `${id}\n`]);
    expect(stderr).toContain(`reefguide executions logs ${id}`);
    expect(stderr).toContain(`reefguide executions kill ${id}`);
    expect(api().last()?.killed).toBe(false);
  });

  it('prints the issues that the API reports', async () => {
    const details = [{ path: 'body.image', message: 'expected an image' }];
    answer('POST /api/v1/run', { error: 'Invalid request', code: 'INVALID_REQUEST', details }, 400);
    const { code, stdout, stderr } = await run(['run', 'true', '--image', '-']);
    expect([code, stdout, stderr]).toEqual([1, '', 'Error: Invalid request\n  body.image: expected an image\n']);
  });
});
