import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type FakeExecutionsApi, startFakeExecutionsApi } from '../support/fakes/executions-api.js';
import { runProgram, startProgram } from '../support/program.js';

let directory: string;
let api: FakeExecutionsApi;

const options = (env: Record<string, string> = {}) => ({
  cwd: directory,
  env: {
    REEFGUIDE_HOME: path.join(directory, 'home'),
    XDG_CONFIG_HOME: path.join(directory, 'config'),
    REEFGUIDE_API: api.url,
    REEFGUIDE_API_KEY: 'the key',
    NO_COLOR: '1',
    TZ: 'UTC',
    ...env,
  },
});
const run = (args: string[], env?: Record<string, string>) => runProgram(args, options(env));
const start = (args: string[]) => startProgram(args, options());

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-executions-'));
  api = await startFakeExecutionsApi();
});
afterEach(() => {
  api.plan({});
});
afterAll(async () => {
  await api.close();
  await rm(directory, { recursive: true, force: true });
});

describe('run', () => {
  it('prints numbered lines with times on stdout and the rest on stderr, and exits with the code of the command', async () => {
    api.plan({ lines: ['one', 'two'], end: { status: 'FAILED', exitCode: 42 } });
    const { code, stdout, stderr } = await run(['run', 'exit 42']);
    const id = api.last()?.state.execution_id;
    expect([code, stdout]).toEqual([42, '   1  04:05:00  one\n   2  04:05:01  two\n']);
    expect(stderr).toBe(`Execution ${id} in ubuntu:24.04\nExecution ${id} FAILED with exit code 42 after 1m\n`);
  });

  it('prints each line once when connections break', async () => {
    const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
    const acts = [
      { sends: 10, ends: 'drop' as const },
      { sends: 5, repeats: 3, ends: 'slow_consumer' as const },
    ];
    api.plan({ lines, acts, end: { status: 'SUCCEEDED', exitCode: 0 } });
    const { stdout } = await run(['run', 'seq 30']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(16)),
    ).toEqual(lines);
  });

  it('prints one object with --json, and the logs on stderr', async () => {
    api.plan({ lines: ['one'], end: { status: 'FAILED', exitCode: 3 } });
    const { code, stdout, stderr } = await run(['run', 'exit 3', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([3, api.last()?.state]);
    expect(stderr).toContain('   1  04:05:00  one\n');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'kills the command at %s without a terminal, and exits with 130',
    async (signal) => {
      api.plan({ lines: ['it runs'] });
      const program = start(['run', 'sleep 60']);
      await program.prints('it runs');
      program.child.kill(signal);
      const { code, stdout, stderr } = await program.finished;
      expect([code, stdout, api.last()?.killed]).toEqual([130, expect.stringContaining('it runs'), true]);
      expect(stderr).toMatch(/Execution \w+ is being stopped\.\n$/);
    },
  );
});

describe('executions logs', () => {
  it('prints the logs of an ended execution, and follows a running execution to the end', async () => {
    const ended = api.begin({ lines: ['a', 'b'] });
    api.end(ended, 'FAILED', 1);
    const first = await run(['executions', 'logs', ended.state.execution_id]);
    expect([first.code, first.stdout]).toEqual([0, '   1  04:05:00  a\n   2  04:05:01  b\n']);

    const running = api.begin({ lines: ['c'] });
    const program = start(['executions', 'logs', running.state.execution_id]);
    await program.prints('04:05:00  c');
    api.end(running, 'SUCCEEDED', 0);
    const { code, stderr } = await program.finished;
    expect([code, stderr]).toEqual([0, expect.stringContaining('SUCCEEDED with exit code 0')]);
  });

  it('leaves the execution running at SIGINT and exits with 130', async () => {
    const running = api.begin({ lines: ['a'] });
    const program = start(['executions', 'logs', running.state.execution_id]);
    await program.prints('04:05:00  a');
    program.child.kill('SIGINT');
    expect([(await program.finished).code, running.killed]).toEqual([130, false]);
  });
});
