import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ignore } from '../../platform/system-errors.js';
import { isPlainName, listParents } from './paths.js';
import type { SourceFile, TargetState } from './plan.js';

const hasModes = process.platform !== 'win32';

/** Reads every file below `directory`, including hidden files. Lists symbolic links without following them. */
export async function readSources(directory: string, below = ''): Promise<SourceFile[]> {
  const entries = await readdir(path.join(directory, below), { withFileTypes: true });
  const sources: SourceFile[] = [];
  for (const entry of entries) {
    const file = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) sources.push(...(await readSources(directory, file)));
    else if (entry.isFile()) {
      const source = path.join(directory, file);
      const executable = hasModes && ((await lstat(source)).mode & 0o100) !== 0;
      sources.push({ kind: 'file', path: file, content: await readFile(source), executable });
    } else sources.push({ kind: entry.isSymbolicLink() ? 'link' : 'special', path: file });
  }
  return sources;
}

/** Returns the sorted names of the directories in `directory`, without hidden ones such as `.git`. */
export async function listDirectories(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && isPlainName(entry.name))
    .map(({ name }) => name)
    .sort();
}

const statIfExists = (file: string) => lstat(file).catch(ignore('ENOENT'));

/** Returns the state of `file` below `root`. Reports a symbolic link instead of following the link out of the tree. */
export async function inspectTarget(root: string, file: string): Promise<TargetState> {
  const missingDirectories: string[] = [];
  for (const parent of listParents(file)) {
    const stats = missingDirectories.length > 0 ? undefined : await statIfExists(path.join(root, parent));
    if (!stats) missingDirectories.push(parent);
    else if (!stats.isDirectory()) return { kind: 'blocked', parent, by: stats.isSymbolicLink() ? 'link' : 'file' };
  }
  const target = path.join(root, file);
  const stats = missingDirectories.length > 0 ? undefined : await statIfExists(target);
  if (!stats) return { kind: 'none', missingDirectories };
  if (stats.isDirectory()) return { kind: 'directory' };
  if (stats.isSymbolicLink()) return { kind: 'link' };
  if (!stats.isFile()) return { kind: 'special' };
  return { kind: 'file', content: await readFile(target), mode: hasModes ? stats.mode : undefined };
}
