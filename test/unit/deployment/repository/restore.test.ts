import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applyWrites } from '../../../../src/deployment/repository/apply.js';
import { restoreInterrupted } from '../../../../src/deployment/repository/restore.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'reefguide-restore-'));
  await writeFile(path.join(root, 'a'), 'old');
});
afterEach(() => rm(root, { recursive: true }));

const write = { path: 'a', content: Buffer.from('new'), mode: 0o644, missingDirectories: [] };

describe('restoreInterrupted', () => {
  const state = () => path.join(root, '.reefguide-config');
  const leaveState = async (journal: unknown) => {
    await mkdir(path.join(state(), 'old'), { recursive: true });
    await writeFile(
      path.join(state(), 'journal.json'),
      typeof journal === 'string' ? journal : JSON.stringify(journal),
    );
  };
  const dead = { pid: 1, start: 'never' };

  it('throws while the other run is alive', async () => {
    await leaveState({ process: dead, files: [], folders: [] });
    await expect(restoreInterrupted(root, { dryRun: false, isAlive: () => true })).rejects.toThrow('Another run');
    await expect(applyWrites(root, [write])).rejects.toThrow('Another run');
    expect(await readdir(state())).toEqual(['journal.json', 'old']);
  });

  it.each([
    ['not JSON'],
    [{ process: dead, files: ['../outside'], folders: [] }],
    [{ process: dead, files: ['.git/x'] }],
  ])('changes nothing when the journal is %j', async (journal) => {
    await leaveState(journal);
    await expect(restoreInterrupted(root, { dryRun: false })).rejects.toThrow('damaged');
    expect(await readdir(state())).toEqual(['journal.json', 'old']);
  });

  it('follows no symbolic link that was created since, and keeps the old content', async () => {
    const outside = await mkdtemp(path.join(os.tmpdir(), 'reefguide-outside-'));
    await symlink(outside, path.join(root, 'link'));
    await leaveState({ process: dead, files: ['link/a'], folders: [] });
    await writeFile(path.join(state(), 'old/0'), 'old');
    await expect(restoreInterrupted(root, { dryRun: false })).rejects.toThrow('Cannot restore link/a');
    expect(await readdir(outside)).toEqual([]);
    expect(await readFile(path.join(state(), 'old/0'), 'utf8')).toBe('old');
    await rm(outside, { recursive: true });
  });

  it('removes the state of a run without a journal', async () => {
    await mkdir(state());
    expect(await restoreInterrupted(root, { dryRun: false })).toBe(false);
    expect(await readdir(root)).toEqual(['a']);
  });
});
