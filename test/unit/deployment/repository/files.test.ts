import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspectTarget, readSources } from '../../../../src/deployment/repository/files.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'reefguide-sources-'));
  await mkdir(path.join(root, 'configs'));
  await writeFile(path.join(root, 'configs/app.json'), '{}');
  await writeFile(path.join(root, '.env'), '');
});
afterEach(() => rm(root, { recursive: true }));

describe('inspectTarget', () => {
  it('follows no symbolic link', async () => {
    await symlink('configs', path.join(root, 'link'));
    await symlink('.env', path.join(root, 'file-link'));
    expect(await inspectTarget(root, 'link/app.json')).toEqual({ kind: 'blocked', parent: 'link', by: 'link' });
    expect(await inspectTarget(root, 'file-link')).toEqual({ kind: 'link' });
    expect(await inspectTarget(root, '.env/x')).toEqual({ kind: 'blocked', parent: '.env', by: 'file' });
    expect(await inspectTarget(root, 'configs')).toEqual({ kind: 'directory' });
    expect(await inspectTarget(root, 'a/b/c')).toEqual({ kind: 'none', missingDirectories: ['a', 'a/b'] });
  });
});

describe('readSources', () => {
  it('lists hidden files, executable files, and links without following them', async () => {
    await mkdir(path.join(root, '.hidden'));
    await writeFile(path.join(root, '.hidden/run.sh'), '', { mode: 0o755 });
    await symlink('configs', path.join(root, 'link'));
    const sources = (await readSources(root)).map((source) => [
      source.path,
      source.kind,
      source.kind === 'file' && source.executable,
    ]);
    expect(sources.sort()).toEqual([
      ['.env', 'file', false],
      ['.hidden/run.sh', 'file', true],
      ['configs/app.json', 'file', false],
      ['link', 'link', false],
    ]);
  });
});
