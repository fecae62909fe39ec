import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Found, foldersAbove, isPlainName, type SourceFile } from './plan.js';

const hasModes = process.platform !== 'win32';

/** Every file below `folder`, hidden ones too. Symbolic links are listed, never followed. */
export async function readSources(folder: string, below = ''): Promise<SourceFile[]> {
  const entries = await readdir(path.join(folder, below), { withFileTypes: true });
  const sources: SourceFile[] = [];
  for (const entry of entries) {
    const file = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) sources.push(...(await readSources(folder, file)));
    else if (entry.isFile()) {
      const full = path.join(folder, file);
      const executable = hasModes && ((await lstat(full)).mode & 0o100) !== 0;
      sources.push({ kind: 'file', path: file, content: await readFile(full), executable });
    } else sources.push({ kind: entry.isSymbolicLink() ? 'link' : 'special', path: file });
  }
  return sources;
}

/** The names of the folders in `folder`, those left out that no one can ask for (hidden ones), in order. */
export async function folderNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && isPlainName(entry.name))
    .map(({ name }) => name)
    .sort();
}

const statOf = (file: string) =>
  lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

/** What is at `file` below `root`. No symbolic link is followed, so the answer is about this tree and no other place. */
export async function inspect(root: string, file: string): Promise<Found> {
  const missingFolders: string[] = [];
  for (const folder of foldersAbove(file)) {
    const there = missingFolders.length > 0 ? undefined : await statOf(path.join(root, folder));
    if (!there) missingFolders.push(folder);
    else if (!there.isDirectory()) return { kind: 'behind', folder, what: there.isSymbolicLink() ? 'link' : 'file' };
  }
  const there = missingFolders.length > 0 ? undefined : await statOf(path.join(root, file));
  if (!there) return { kind: 'none', missingFolders };
  if (there.isDirectory()) return { kind: 'folder' };
  if (there.isSymbolicLink()) return { kind: 'link' };
  if (!there.isFile()) return { kind: 'special' };
  return { kind: 'file', content: await readFile(path.join(root, file)), mode: hasModes ? there.mode : undefined };
}
