// Runs commands in containers of a fake engine, which stands first in PATH.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type LocalRunnerOptions, openLocalCommandRunner } from '../../../../../src/executions/runners/local/runner.js';
import type { CommandRunner } from '../../../../../src/executions/runners/runner.js';
import { createFakeContainerEngine, type FakeContainerEngine } from '../../../../support/fakes/container-engine.js';
import { createRequest, startObserved } from '../../../../support/local-runner.js';
import { readPids, untilGone } from '../../../../support/processes.js';
import { until } from '../../../../support/until.js';

let directory: string;
let engine: FakeContainerEngine;
let clock: number;
const runners: CommandRunner[] = [];
beforeEach(async () => {
  directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-engine-')));
  engine = await createFakeContainerEngine(directory);
  await engine.setRunning('docker', true);
  clock = 1_000;
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.close();
  await rm(directory, { recursive: true, force: true });
});

const executions = () => path.join(directory, 'executions');
const start = async ({ env, ...options }: Partial<LocalRunnerOptions> = {}) => {
  const runner = await openLocalCommandRunner({
    directory: executions(),
    engines: ['docker', 'podman'],
    env: { PATH: `${engine.bin}:${process.env.PATH}`, HOME: '/home/server', SERVER_SECRET: 'of-the-server', ...env },
    killAfterMs: 500,
    now: () => clock,
    ...options,
  });
  runners.push(runner);
  return runner;
};
const ran = async (runner: CommandRunner, ...args: Parameters<typeof createRequest>) =>
  (await startObserved(runner, createRequest(...args))).ended;
const note = (why: string) => `[reefguide] runs on this machine, not in ubuntu:24.04: ${why}`;

describe('LocalCommandRunner with a container engine', () => {
  it('passes variables to the command, in no argument, and none of the server', async () => {
    const runner = await start();
    const values = { A_TOKEN: 'hunter2-token', EMPTY: '', ODD: `it's "$HOME" \\n\`x\` *\nnext`, PERCENT: '%s' };
    const { exitCode, text } = await ran(runner, 'env -0; pwd; exit 3', { env: values });
    expect(exitCode).toBe(3);
    for (const [name, value] of Object.entries(values)) expect(text).toContain(`\0${name}=${value}\0`);
    expect(text).not.toMatch(/SERVER_SECRET|of-the-server|REEFGUIDE_VALUE/);
    expect(text).toContain(`HOME=/container`);
    expect(JSON.stringify(await engine.calls())).not.toMatch(/hunter2|\$HOME|%s/);
  });

  it('hides variables of the command from the engine', async () => {
    const env = { PATH: '/nowhere', HOME: '/tmp/mine', DOCKER_HOST: 'tcp://evil', LD_PRELOAD: '/evil.so', A: 'a' };
    const { exitCode, lines } = await ran(await start(), 'echo "$PATH $HOME $DOCKER_HOST $A"', { env });
    expect([exitCode, lines.at(-1)]).toEqual([0, '/nowhere /tmp/mine tcp://evil a']);
    const [seen = ''] = await engine.environments();
    expect(seen).toContain('HOME=/home/server\n');
    expect(seen).toContain(`PATH=${engine.bin}:`);
    expect(seen).not.toMatch(/^(DOCKER_HOST|LD_PRELOAD|A)=/m);
  });

  it('passes variables with the names that renaming uses', async () => {
    const env = { REEFGUIDE_VALUE_2: 'two', REEFGUIDE_VALUE_1: 'one', REEFGUIDE_VALUE__0: 'none', LAST: 'last' };
    const command =
      'echo $REEFGUIDE_VALUE_1 $REEFGUIDE_VALUE_2 $REEFGUIDE_VALUE__0 $LAST; env | grep -c REEFGUIDE_VALUE';
    expect((await ran(await start(), command, { env })).lines).toEqual(['one two none last', '3']);
  });

  const hasBash = spawnSync('bash', ['-c', ':']).status === 0;
  (hasBash ? it : it.skip)('passes any variables to an image whose sh is bash', async () => {
    const names = ['UID', 'EUID', 'PPID', 'SHELLOPTS', 'BASHOPTS', 'BASH_VERSINFO', 'IFS', 'RANDOM', 'GROUPS', 'A'];
    const env = Object.fromEntries(names.map((name) => [name, '1000']));
    const runner = await start({ env: { CONTAINER_SHELL: 'bash --posix' } });
    const { exitCode, lines } = await ran(runner, 'echo "it runs: $A"', { env });
    expect([exitCode, lines.at(-1)]).toEqual([0, 'it runs: 1000']);
  });

  it('prints both streams in order, runs in the mounted directory, and leaves nothing', async () => {
    const runner = await start();
    const command = await startObserved(runner, createRequest('echo 1; echo 2 >&2; echo 3; touch made; pwd'));
    const { exitCode, lines } = await command.ended;
    expect([exitCode, lines]).toEqual([0, ['1', '2', '3', path.join(executions(), command.id, 'workspace')]]);
    expect(await readdir(executions())).toEqual([]);
    expect((await engine.calls('rm')).at(-1)).toEqual(['docker', 'rm', '--force', `reefguide-${command.id}`]);
    expect(await engine.containers()).toEqual([]);
  });

  it('lets a stopped command end by itself, with exit code 130', async () => {
    const runner = await start();
    const command = await startObserved(
      runner,
      createRequest(`trap 'echo bye; exit 5' TERM; echo begun; sleep 300 & wait`),
    );
    await until(() => command.text().includes('begun'));
    await runner.stop(command.taskArn);
    expect(await command.ended).toMatchObject({ exitCode: 130, lines: ['begun', 'bye'] });
    expect(await engine.containers()).toEqual([]);
  });

  it.each([
    ['stop', 60, 130],
    ['timeout', 1, 124],
  ])('kills the whole container of a command that ignores a %s', async (_, timeoutSeconds, code) => {
    const runner = await start();
    const pids = path.join(directory, 'pids');
    const ignoringCommand = `trap '' TERM; echo $$ >> ${pids}; sleep 300 & echo $! >> ${pids}; echo begun; wait; sleep 300`;
    const command = await startObserved(runner, createRequest(ignoringCommand, { timeoutSeconds }));
    await until(() => command.text().includes('begun'));
    if (code === 130) await runner.stop(command.taskArn);
    expect((await command.ended).exitCode).toBe(code);
    await untilGone(...(await readPids(pids, 2)));
  });
});

describe('ContainerEngines', () => {
  it('falls back to the next engine, and then to this machine with a note', async () => {
    await engine.setRunning('docker', false);
    await engine.setRunning('podman', true);
    expect(await ran(await start(), 'echo hello')).toMatchObject({ exitCode: 0, lines: ['hello'] });
    expect((await engine.calls('run')).map(([name]) => name)).toEqual(['podman']);
    await engine.setRunning('podman', false);
    const runner = await start();
    expect((await ran(runner, 'echo hello')).lines).toEqual([note('neither docker nor podman answers'), 'hello']);
    expect((await ran(await start({ engines: [] }), 'true')).lines).toEqual([note('no container engine is enabled')]);
  });

  it('asks again after a minute', async () => {
    await engine.setRunning('docker', false);
    const runner = await start();
    expect((await ran(runner, 'true')).lines).toHaveLength(1);
    await engine.setRunning('docker', true);
    clock += 59_999;
    expect((await ran(runner, 'true')).lines).toHaveLength(1);
    clock += 2;
    expect((await ran(runner, 'true')).lines).toEqual([]);
  });

  it('ignores an engine that is not installed', async () => {
    const runner = await start({ env: { PATH: path.join(directory, 'nothing') } });
    expect((await ran(runner, 'echo hello')).lines.at(-1)).toBe('hello');
    expect(await engine.calls()).toEqual([]);
  });

  it('reports why an engine fails to run a command', async () => {
    const { exitCode, text } = await ran(await start(), 'true', { git: undefined, env: {}, image: bad });
    expect([exitCode, text]).toEqual([125, expect.stringContaining('no such image')]);
  });
});

const bad = { ...createRequest('').image, image: 'missing:1' };
