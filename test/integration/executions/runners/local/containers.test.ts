// Commands in containers, through a stand-in for the engine that is first in PATH.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createLocalCommandRunner,
  type LocalCommandOptions,
} from '../../../../../src/executions/runners/local/runner.js';
import type { CommandRunner } from '../../../../../src/executions/runners/runner.js';
import { type EngineStandIn, engineStandIn } from '../../../../support/fakes/container-engine.js';
import { request, watch } from '../../../../support/local-runner.js';
import { readPids, untilGone } from '../../../../support/processes.js';
import { until } from '../../../../support/until.js';

let folder: string;
let engine: EngineStandIn;
let clock: number;
const runners: CommandRunner[] = [];
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-engine-')));
  engine = await engineStandIn(folder);
  await engine.answers('docker', true);
  clock = 0;
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.close();
  await rm(folder, { recursive: true, force: true });
});

const executions = () => path.join(folder, 'executions');
const start = async ({ env, ...options }: Partial<LocalCommandOptions> = {}) => {
  const runner = await createLocalCommandRunner({
    folder: executions(),
    engines: ['docker', 'podman'],
    env: { PATH: `${engine.bin}:${process.env.PATH}`, HOME: '/home/server', SERVER_SECRET: 'of-the-server', ...env },
    killAfterMs: 500,
    now: () => clock,
    ...options,
  });
  runners.push(runner);
  return runner;
};
const ran = async (runner: CommandRunner, ...given: Parameters<typeof request>) =>
  (await watch(runner, request(...given))).ended;
const note = (why: string) => `[reefguide] runs on this machine, not in ubuntu:24.04: ${why}`;

describe('a command in a container', () => {
  it('has its variables, which are in no argument, and nothing of the server’s', async () => {
    const runner = await start();
    const values = { A_TOKEN: 'hunter2-token', EMPTY: '', ODD: `it's "$HOME" \\n\`x\` *\nnext`, PERCENT: '%s' };
    const { exitCode, text } = await ran(runner, 'env -0; pwd; exit 3', { env: values });
    expect(exitCode).toBe(3);
    for (const [name, value] of Object.entries(values)) expect(text).toContain(`\0${name}=${value}\0`);
    expect(text).not.toMatch(/SERVER_SECRET|of-the-server|REEFGUIDE_VALUE/);
    expect(text).toContain(`HOME=/container`);
    expect(JSON.stringify(await engine.calls())).not.toMatch(/hunter2|\$HOME|%s/);
  });

  it('may have variables that mean something to the engine, and the engine does not see them', async () => {
    const env = { PATH: '/nowhere', HOME: '/tmp/mine', DOCKER_HOST: 'tcp://evil', LD_PRELOAD: '/evil.so', A: 'a' };
    const { exitCode, lines } = await ran(await start(), 'echo "$PATH $HOME $DOCKER_HOST $A"', { env });
    expect([exitCode, lines.at(-1)]).toEqual([0, '/nowhere /tmp/mine tcp://evil a']);
    const [seen = ''] = await engine.environments();
    expect(seen).toContain('HOME=/home/server\n');
    expect(seen).toContain(`PATH=${engine.bin}:`);
    expect(seen).not.toMatch(/^(DOCKER_HOST|LD_PRELOAD|A)=/m);
  });

  it('may have variables that are called as those in which they are passed', async () => {
    const env = { REEFGUIDE_VALUE_2: 'two', REEFGUIDE_VALUE_1: 'one', REEFGUIDE_VALUE__0: 'none', LAST: 'last' };
    const command =
      'echo $REEFGUIDE_VALUE_1 $REEFGUIDE_VALUE_2 $REEFGUIDE_VALUE__0 $LAST; env | grep -c REEFGUIDE_VALUE';
    expect((await ran(await start(), command, { env })).lines).toEqual(['one two none last', '3']);
  });

  const hasBash = spawnSync('bash', ['-c', ':']).status === 0;
  (hasBash ? it : it.skip)('runs where sh is bash, whatever variables it is given', async () => {
    const names = ['UID', 'EUID', 'PPID', 'SHELLOPTS', 'BASHOPTS', 'BASH_VERSINFO', 'IFS', 'RANDOM', 'GROUPS', 'A'];
    const env = Object.fromEntries(names.map((name) => [name, '1000']));
    const runner = await start({ env: { CONTAINER_SHELL: 'bash --posix' } });
    const { exitCode, lines } = await ran(runner, 'echo "it runs: $A"', { env });
    expect([exitCode, lines.at(-1)]).toEqual([0, 'it runs: 1000']);
  });

  it('prints both streams in order, runs in the folder that is mounted, and leaves nothing', async () => {
    const runner = await start();
    const command = await watch(runner, request('echo 1; echo 2 >&2; echo 3; touch made; pwd'));
    const { exitCode, lines } = await command.ended;
    expect([exitCode, lines]).toEqual([0, ['1', '2', '3', path.join(executions(), command.id, 'workspace')]]);
    expect(await readdir(executions())).toEqual([]);
    expect((await engine.calls('rm')).at(-1)).toEqual(['docker', 'rm', '--force', `reefguide-${command.id}`]);
    expect(await engine.containers()).toEqual([]);
  });

  it('that is stopped may end in its own way: 130', async () => {
    const runner = await start();
    const command = await watch(runner, request(`trap 'echo bye; exit 5' TERM; echo begun; sleep 300 & wait`));
    await until(() => command.text().includes('begun'));
    await runner.stop(command.taskArn);
    expect(await command.ended).toMatchObject({ exitCode: 130, lines: ['begun', 'bye'] });
    expect(await engine.containers()).toEqual([]);
  });

  it.each([
    ['is stopped', 60, 130],
    ['takes too long', 1, 124],
  ])('that ignores it when it %s is killed with all of its container', async (_, timeoutSeconds, code) => {
    const runner = await start();
    const pids = path.join(folder, 'pids');
    const ignoring = `trap '' TERM; echo $$ >> ${pids}; sleep 300 & echo $! >> ${pids}; echo begun; wait; sleep 300`;
    const command = await watch(runner, request(ignoring, { timeoutSeconds }));
    await until(() => command.text().includes('begun'));
    if (code === 130) await runner.stop(command.taskArn);
    expect((await command.ended).exitCode).toBe(code);
    await untilGone(...(await readPids(pids, 2)));
  });
});

describe('an engine', () => {
  it('that does not answer leaves the next, and then this machine, which the log says', async () => {
    await engine.answers('docker', false);
    await engine.answers('podman', true);
    expect(await ran(await start(), 'echo hello')).toMatchObject({ exitCode: 0, lines: ['hello'] });
    expect((await engine.calls('run')).map(([name]) => name)).toEqual(['podman']);
    await engine.answers('podman', false);
    const runner = await start();
    expect((await ran(runner, 'echo hello')).lines).toEqual([note('neither docker nor podman answers'), 'hello']);
    expect((await ran(await start({ engines: [] }), 'true')).lines).toEqual([
      note('no container engine is to be used'),
    ]);
  });

  it('is asked again after a minute', async () => {
    await engine.answers('docker', false);
    const runner = await start();
    expect((await ran(runner, 'true')).lines).toHaveLength(1);
    await engine.answers('docker', true);
    clock = 59_999;
    expect((await ran(runner, 'true')).lines).toHaveLength(1);
    clock = 60_000;
    expect((await ran(runner, 'true')).lines).toEqual([]);
  });

  it('that is not installed is none', async () => {
    const runner = await start({ env: { PATH: path.join(folder, 'nothing') } });
    expect((await ran(runner, 'echo hello')).lines.at(-1)).toBe('hello');
    expect(await engine.calls()).toEqual([]);
  });

  it('that fails to run says why', async () => {
    const { exitCode, text } = await ran(await start(), 'true', { git: undefined, env: {}, image: bad });
    expect([exitCode, text]).toEqual([125, expect.stringContaining('no such image')]);
  });
});

const bad = { ...request('').image, image: 'missing:1' };
