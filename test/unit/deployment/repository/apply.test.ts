import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applyWrites } from '../../../../src/deployment/repository/apply.js';
import { inspect, readSources } from '../../../../src/deployment/repository/files.js';
import { restoreInterrupted } from '../../../../src/deployment/repository/journal.js';
import type { Write } from '../../../../src/deployment/repository/plan.js';

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-apply-')));
  await mkdir(path.join(root, 'configs'));
  await writeFile(path.join(root, 'configs/there.json'), 'old');
  await writeFile(path.join(root, '.env'), 'SECRET=old', { mode: 0o640 });
  await chmod(path.join(root, '.env'), 0o640);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const writes: Write[] = [
  { path: '.env', content: Buffer.from('SECRET=new'), mode: 0o600, missingFolders: [] },
  { path: 'configs/there.json', content: Buffer.from('new'), mode: 0o644, missingFolders: [] },
  { path: 'deep/er/new', content: Buffer.from('new'), mode: 0o755, missingFolders: ['deep', 'deep/er'] },
  { path: 'new', content: Buffer.from(''), mode: 0o644, missingFolders: [] },
];

/** Every file and folder with its mode, and its content. */
async function tree(): Promise<string[]> {
  const names = (await readdir(root, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const stat = await lstat(path.join(root, name));
      const content = stat.isFile() ? await readFile(path.join(root, name), 'utf8') : '';
      return `${name} ${(stat.mode & 0o777).toString(8)} ${content}`;
    }),
  );
}

async function countSteps(): Promise<number> {
  let steps = 0;
  await applyWrites(root, writes, { onStep: () => void steps++ });
  return steps;
}

const merged = [
  '.env 600 SECRET=new',
  'configs 755 ',
  'configs/there.json 644 new',
  'deep 755 ',
  'deep/er 755 ',
  'deep/er/new 755 new',
  'new 644 ',
];

it('writes every file with its mode, makes folders, and leaves nothing else', async () => {
  await applyWrites(root, writes);
  expect(await tree()).toEqual(merged);
});

const before = ['.env 640 SECRET=old', 'configs 755 ', 'configs/there.json 644 old'];

/** What `use` finds when a run stops at each of its steps. */
async function atEachStep(
  stop: (reached: () => void) => Promise<void> | void,
  use: () => Promise<void>,
  run = 'abort',
) {
  const last = 15;
  for (let at = 0; at <= last; at++) {
    const controller = new AbortController();
    let step = 0;
    await new Promise<void>((resolve) => {
      const onStep = () => {
        if (step++ !== at) return undefined;
        if (run === 'abort') controller.abort();
        return stop(resolve);
      };
      applyWrites(root, writes, { signal: controller.signal, onStep }).then(
        () => resolve(),
        () => resolve(),
      );
    });
    await use();
  }
}

describe('interrupted at any step', () => {
  it('has as many steps as are tried here', async () => {
    expect(await countSteps()).toBe(16);
  });

  it('an abort leaves the tree as it was', async () => {
    await atEachStep(
      () => undefined,
      async () => expect(await tree()).toEqual(before),
    );
  });

  it('an error leaves the tree as it was, and says so', async () => {
    for (let at = 0; at < 16; at++) {
      let step = 0;
      const onStep = () => {
        if (step++ === at) throw new Error('ENOSPC: no space left');
      };
      await applyWrites(root, writes, { onStep }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Error);
      });
      expect(await tree()).toEqual(before);
    }
  });

  it('a kill leaves what the next run restores, twice over', async () => {
    // The run never goes on from there, as one that was killed.
    await atEachStep(
      (reached) => {
        reached();
        return new Promise(() => {});
      },
      async () => {
        const left = (await readdir(root)).includes('.reefguide-config');
        if (left) await expect(restoreInterrupted(root, { dryRun: true, isAlive: () => false })).rejects.toThrow();
        expect(await restoreInterrupted(root, { dryRun: false, isAlive: () => false })).toBe(left);
        expect(await restoreInterrupted(root, { dryRun: false, isAlive: () => false })).toBe(false);
        expect(await tree()).toEqual(before);
      },
      'kill',
    );
  });
});

describe('restoreInterrupted', () => {
  const state = () => path.join(root, '.reefguide-config');
  const left = async (journal: unknown) => {
    await mkdir(path.join(state(), 'old'), { recursive: true });
    await writeFile(
      path.join(state(), 'journal.json'),
      typeof journal === 'string' ? journal : JSON.stringify(journal),
    );
  };
  const dead = { pid: 1, start: 'never' };

  it('waits for no run that still works', async () => {
    await left({ process: dead, files: [], folders: [] });
    await expect(restoreInterrupted(root, { dryRun: false, isAlive: () => true })).rejects.toThrow('Another run');
    await expect(applyWrites(root, writes)).rejects.toThrow('Another run');
    expect(await readdir(state())).toEqual(['journal.json', 'old']);
  });

  it.each([
    ['not JSON'],
    [{ process: dead, files: ['../outside'], folders: [] }],
    [{ process: dead, files: ['.git/x'] }],
  ])('touches nothing when the journal is %j', async (journal) => {
    await left(journal);
    await expect(restoreInterrupted(root, { dryRun: false })).rejects.toThrow('damaged');
    expect(await readdir(state())).toEqual(['journal.json', 'old']);
  });

  it('writes through no symbolic link that came since, and keeps the old content', async () => {
    const outside = await mkdtemp(path.join(os.tmpdir(), 'reefguide-outside-'));
    await symlink(outside, path.join(root, 'link'));
    await left({ process: dead, files: ['link/a'], folders: [] });
    await writeFile(path.join(state(), 'old/0'), 'old');
    await expect(restoreInterrupted(root, { dryRun: false })).rejects.toThrow('Cannot restore link/a');
    expect(await readdir(outside)).toEqual([]);
    expect(await readFile(path.join(state(), 'old/0'), 'utf8')).toBe('old');
    await rm(outside, { recursive: true });
  });

  it('removes a folder of a run that had not begun', async () => {
    await mkdir(state());
    expect(await restoreInterrupted(root, { dryRun: false })).toBe(false);
    expect(await tree()).toEqual(before);
  });
});

describe('inspect', () => {
  it('follows no link', async () => {
    await symlink('configs', path.join(root, 'link'));
    await symlink('.env', path.join(root, 'file-link'));
    expect(await inspect(root, 'link/there.json')).toEqual({ kind: 'behind', folder: 'link', what: 'link' });
    expect(await inspect(root, 'file-link')).toEqual({ kind: 'link' });
    expect(await inspect(root, '.env/x')).toEqual({ kind: 'behind', folder: '.env', what: 'file' });
    expect(await inspect(root, 'configs')).toEqual({ kind: 'folder' });
    expect(await inspect(root, 'a/b/c')).toEqual({ kind: 'none', missingFolders: ['a', 'a/b'] });
  });
});

it('readSources lists hidden files, the executable bit, and links without following them', async () => {
  await mkdir(path.join(root, '.hidden'));
  await writeFile(path.join(root, '.hidden/run.sh'), '', { mode: 0o755 });
  await symlink('configs', path.join(root, 'link'));
  const sources = (await readSources(root)).map((one) => [one.path, one.kind, one.kind === 'file' && one.executable]);
  expect(sources.sort()).toEqual([
    ['.env', 'file', false],
    ['.hidden/run.sh', 'file', true],
    ['configs/there.json', 'file', false],
    ['link', 'link', false],
  ]);
});
