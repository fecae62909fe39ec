import { existsSync } from 'node:fs';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ChildGroup, type ChildGroupOptions, toExitCode, withStartBarrier } from '../../../src/platform/child-group.js';
import { readPids, untilGone } from '../../support/processes.js';

let directory: string;
const groups: ChildGroup[] = [];
beforeEach(async () => {
  directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-groups-')));
});
afterEach(async () => {
  for (const group of groups.splice(0)) group.stop(0);
  await rm(directory, { recursive: true, force: true });
});

const file = (name: string) => path.join(directory, name);
function spawnShell(script: string, options: Partial<ChildGroupOptions> = {}): ChildGroup {
  const group = new ChildGroup({ program: '/bin/sh', args: ['-c', script], cwd: directory, ...options });
  groups.push(group);
  return group;
}

describe('ChildGroup', () => {
  it('returns the exit code, and passes input and output', async () => {
    const output = new PassThrough();
    const group = spawnShell('read -r line; echo "got $line"; echo problem >&2; exit 3', { input: 'one\n', output });
    expect(await group.ended).toEqual({ code: 3, signal: null });
    expect((await text(output.end())).split('\n').sort()).toEqual(['', 'got one', 'problem']);
  });

  it('rejects when the program cannot be started', async () => {
    const group = new ChildGroup({ program: file('missing') });
    await expect(group.exited).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(group.ended).rejects.toMatchObject({ code: 'ENOENT' });
    expect(group.pid).toBeUndefined();
  });

  it('kills processes that the program leaves behind in its group', async () => {
    const group = spawnShell(`sleep 300 & echo $! > ${file('pids')}`);
    expect(await group.ended).toEqual({ code: 0, signal: null });
    await untilGone(...(await readPids(file('pids'), 1)));
  });

  it('gives the group time to end after a stop', async () => {
    const script = `trap 'sleep 0.2; echo done > ${file('done')}; exit 5' TERM; echo $$ > ${file('pids')}; sleep 300 & wait`;
    const group = spawnShell(script);
    await readPids(file('pids'), 1);
    group.stop(10_000);
    expect(await group.ended).toEqual({ code: 5, signal: null });
    expect(existsSync(file('done'))).toBe(true);
  });

  it('kills a group that ignores SIGTERM after the grace period', async () => {
    const group = spawnShell(`trap '' TERM; echo $$ > ${file('pids')}; while :; do sleep 0.1; done`);
    const pids = await readPids(file('pids'), 1);
    group.stop(100);
    const exit = await group.ended;
    expect([exit, toExitCode(exit)]).toEqual([{ code: null, signal: 'SIGKILL' }, 137]);
    await untilGone(...pids);
  });

  it('records the group while the group runs', async () => {
    const group = spawnShell('sleep 0.2', { recordDirectory: directory });
    const recorded = await readdir(directory);
    await group.ended;
    expect([recorded, await readdir(directory)]).toEqual([[`group-${group.pid}`], []]);
  });

  it('starts no program behind a start barrier when the record cannot be written', async () => {
    const touch = (name: string) => withStartBarrier('/bin/sh', ['-c', `echo started > ${file(name)}`]);
    expect(() => new ChildGroup({ ...touch('first'), recordDirectory: file('missing') })).toThrow('Cannot write');
    await new ChildGroup({ ...touch('second'), recordDirectory: directory }).ended;
    expect(['first', 'second'].filter((name) => existsSync(file(name)))).toEqual(['second']);
  });
});
