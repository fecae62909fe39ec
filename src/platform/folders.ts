import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder and those above it that are missing; throws the system's error. Node's own recursive form goes round for
 * ever where a file system answers ENOENT to any mkdir, as /proc does, and answers ENOENT on one that is read-only.
 */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o755 });
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    const parent = path.dirname(folder);
    const parentIsMissing = code === 'ENOENT' && parent !== folder && !(await stat(parent).catch(() => undefined));
    if (!parentIsMissing) throw error;
    await makeFolders(parent);
    await makeFolders(folder);
  }
}
