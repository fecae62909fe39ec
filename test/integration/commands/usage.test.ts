import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useFakeExecutionsApi } from '../../support/commands/use-fake-executions-api.js';

const { api, directory, run } = useFakeExecutionsApi();

describe('a command with wrong usage', () => {
  it.each<[string[], string]>([
    [['jobs', 'list', '--nonsense'], '--nonsense'],
    [['jobs', 'cancel', 'x'], 'Invalid job id "x": expected a positive whole number'],
    [['jobs', 'show', '0'], 'Invalid job id "0"'],
    [['run'], 'command'],
    [['run', 'echo', 'a'], "Invalid command: expected one argument in quotes, as in: reefguide run 'echo a'"],
    [['run', 'true', '--timeout', 'soon'], 'Invalid --timeout "soon": expected a duration, for example 90s or 10m'],
    [['run', 'true', '--env', 'NOT_SET_HERE'], 'Invalid --env "NOT_SET_HERE"'],
    [['worker', '--types', 'TEST', '--idle-timeout', '5'], 'Invalid --idle-timeout "5": expected a duration'],
    [['executions', 'status', '17'], 'Invalid execution id "17": expected 32 hexadecimal digits'],
    [['executions', 'list', '--status', 'BROKEN'], 'BROKEN'],
    [['keys', 'aws'], 'secret'],
    [['keys', 'aws', 'a', '--force', '--rotate'], 'cannot also be provided'],
    [['cluster', 'scale', '11'], 'Invalid number of tasks "11": expected 0 to 10'],
    [['cluster', 'scale', 'x'], 'Invalid number of tasks "x"'],
    [['config', 'reef', '../dev'], 'Invalid directory name "../dev": expected letters, digits, _ - and .'],
    [['config', 'reef', 'dev', '-t', 'a', '-d', 'b'], 'cannot also be provided'],
  ])('%j exits with 2 and says what to expect', async (args, message) => {
    const requests = api().requests.length;
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
    expect(stderr).toMatch(/^Error: /);
    expect(api().requests).toHaveLength(requests);
  });
});

describe('a command that fails', () => {
  it('says how to find an API without an API', async () => {
    const { code, stderr } = await run(['jobs', 'list'], { REEFGUIDE_API: '' });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Error: No API to talk to\n.*reefguide dev.*\n$/)]);
  });

  it('names an API that does not answer', async () => {
    const { code, stderr } = await run(['jobs', 'list', '--api', 'http://127.0.0.1:1']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('127.0.0.1:1 does not answer')]);
  });

  it('prints the error as JSON on stdout with --json', async () => {
    const { code, stdout } = await run(['jobs', 'list', '--json', '--api', 'http://127.0.0.1:1']);
    expect([code, JSON.parse(stdout)]).toEqual([1, { error: { message: expect.stringContaining('does not answer') } }]);
  });

  it('refuses to act with an empty API key', async () => {
    const { code, stderr } = await run(['whoami'], { REEFGUIDE_API_KEY: '' });
    expect([code, stderr]).toEqual([1, expect.stringContaining('Invalid REEFGUIDE_API_KEY: expected a key')]);
  });

  it('refuses to reset a database on another machine', async () => {
    const { code, stderr } = await run(['db', 'reset', '--force'], {
      DATABASE_URL: 'postgresql://a:b@db.example.org/x',
    });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: Cannot reset .*not on this machine\n.*--yes-delete-remote-data/),
    ]);
  });

  it('names the missing cluster and service with cluster --direct', async () => {
    const { code, stderr } = await run(['cluster', 'status', '--direct']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Error: .* not set\n.*ECS_CLUSTER_NAME/)]);
  });

  it('says which file is missing', async () => {
    const file = path.join(directory(), 'nothing.json');
    const { code, stderr } = await run(['jobs', 'submit', 'TEST', '--input', `@${file}`]);
    expect([code, stderr]).toEqual([1, `Error: Cannot read ${file}: there is no such file\n`]);
  });

  it('says where input is not JSON', async () => {
    const { code, stderr } = await run(['jobs', 'submit', 'TEST', '--input', '{']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Error: Invalid JSON in --input: .*\nGive for example/)]);
  });
});

describe('help', () => {
  it.each([['jobs'], ['capacity', 'build-env'], ['run'], ['db']])('of %s shows an example', async (...topic) => {
    const { code, stdout } = await run([...topic, '--help']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/EXAMPLES|COMMANDS/)]);
  });
});
