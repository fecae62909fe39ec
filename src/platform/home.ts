import { link, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../contract/errors.js';
import { makeFolders } from './folders.js';

/** Where the local system keeps everything: `REEFGUIDE_HOME`, or `.reefguide` in the working directory. */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(env.REEFGUIDE_HOME || '.reefguide');
}

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is a file, not a folder',
};

/** The error that a person reads when `file` could not be written. */
export function writeError(file: string, cause: unknown): SetupError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new SetupError(`Cannot write ${file}: ${reasons[code] ?? (cause instanceof Error ? cause.message : code)}`, {
    hint: 'Make it writable, free some space, or name another place.',
    cause,
  });
}

export async function makeFolder(folder: string): Promise<string> {
  await makeFolders(folder).catch((cause) => {
    throw writeError(folder, cause);
  });
  return folder;
}

/** Writes a file whole or not at all, with `mode` from the first byte on. */
export async function writeFileWhole(file: string, content: string, mode = 0o600): Promise<void> {
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await makeFolder(path.dirname(file));
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    if (cause instanceof SetupError) throw cause;
    throw writeError(file, cause);
  }
}

/** The JSON in `file`, or undefined when the file is not there or not JSON. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The content of `file`, which is made with `make` if it is not there: of several processes at once, all get the same. */
export async function readOrMake(file: string, make: () => Promise<string>): Promise<string> {
  const there = await readFile(file, 'utf8').catch(() => undefined);
  if (there !== undefined) return there;
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFileWhole(temporary, await make());
  try {
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw writeError(file, error);
    });
    return await readFile(file, 'utf8');
  } finally {
    await rm(temporary, { force: true });
  }
}
