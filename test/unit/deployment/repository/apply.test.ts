import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applyWrites } from '../../../../src/deployment/repository/apply.js';
import type { Write } from '../../../../src/deployment/repository/plan.js';
import { restoreInterrupted } from '../../../../src/deployment/repository/restore.js';

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-apply-')));
  await mkdir(path.join(root, 'configs'));
  await writeFile(path.join(root, 'configs/app.json'), 'old');
  await writeFile(path.join(root, '.env'), 'SECRET=old', { mode: 0o640 });
  await chmod(path.join(root, '.env'), 0o640);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const writes: Write[] = [
  { path: '.env', content: Buffer.from('SECRET=new'), mode: 0o600, missingDirectories: [] },
  { path: 'configs/app.json', content: Buffer.from('new'), mode: 0o644, missingDirectories: [] },
  { path: 'deep/er/new', content: Buffer.from('new'), mode: 0o755, missingDirectories: ['deep', 'deep/er'] },
  { path: 'new', content: Buffer.from(''), mode: 0o644, missingDirectories: [] },
];

/** Lists every file and directory with mode and content, for example `new 644 text`. */
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
  'configs/app.json 644 new',
  'deep 755 ',
  'deep/er 755 ',
  'deep/er/new 755 new',
  'new 644 ',
];

describe('applyWrites', () => {
  it('writes every file with its mode and creates directories', async () => {
    await applyWrites(root, writes);
    expect(await tree()).toEqual(merged);
  });
});

const before = ['.env 640 SECRET=old', 'configs 755 ', 'configs/app.json 644 old'];

/** Stops a run at each step in turn, and calls `use` each time. */
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

describe('applyWrites interrupted at any step', () => {
  it('has the number of steps that the other tests try', async () => {
    expect(await countSteps()).toBe(16);
  });

  it('restores the tree after an abort', async () => {
    await atEachStep(
      () => undefined,
      async () => expect(await tree()).toEqual(before),
    );
  });

  it('restores the tree after an error, and throws', async () => {
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

  it('lets the next run restore the tree after a kill', async () => {
    // Imitates a killed run by a step that never ends.
    await atEachStep(
      (reached) => {
        reached();
        return new Promise(() => {});
      },
      async () => {
        const isInterrupted = (await readdir(root)).includes('.reefguide-config');
        if (isInterrupted)
          await expect(restoreInterrupted(root, { dryRun: true, isAlive: () => false })).rejects.toThrow();
        expect(await restoreInterrupted(root, { dryRun: false, isAlive: () => false })).toBe(isInterrupted);
        expect(await restoreInterrupted(root, { dryRun: false, isAlive: () => false })).toBe(false);
        expect(await tree()).toEqual(before);
      },
      'kill',
    );
  });
});
