import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, opendir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { errorCode, explainWriteErrors, ignore } from './system-errors.js';

/**
 * Creates a directory and its missing parents; throws the system's error. Replaces `mkdir` with `recursive`, because that
 * loops forever where a file system answers ENOENT to any mkdir (`/proc`), and reports a read-only one as ENOENT.
 */
export async function createDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o755 });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST' && (await stat(directory)).isDirectory()) return;
    const parent = path.dirname(directory);
    const parentIsMissing = code === 'ENOENT' && parent !== directory && !(await stat(parent).catch(() => undefined));
    if (!parentIsMissing) throw error;
    await createDirectory(parent);
    await createDirectory(directory);
  }
}

/** Returns true for the name of a temporary file of this module, for example `.0f3a9c2b1d4e.tmp`. */
export const isTemporaryName = (name: string): boolean => /^\.[0-9a-f]{12}\.tmp$/.test(name);

/** Writes a new file beside `file`, flushed to disk, with `mode` whatever the umask is. Returns its path. */
async function writeTemporary(file: string, content: string, mode: number): Promise<string> {
  const temporary = path.join(path.dirname(file), `.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx', mode);
  try {
    // A file system without modes refuses chmod; `open` has set what it can.
    await handle.chmod(mode).catch(() => {});
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}

/**
 * Replaces a file in one step: a reader sees the old content or all of the new. Throws the system's error.
 *
 * write-file-atomic is no substitute: its temporary file has a predictable name and is opened without O_EXCL, so another
 * user who may write to the directory could read a secret or redirect the write, and a short write counts as success.
 */
export async function writeFileAtomically(file: string, content: string, mode: number): Promise<void> {
  const temporary = await writeTemporary(file, content, mode);
  try {
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Creates a file with its whole content in one step. Returns false, and changes nothing, when the file exists. */
export async function createFileExclusively(file: string, content: string, mode: number): Promise<boolean> {
  const temporary = await writeTemporary(file, content, mode);
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Writes a file that only its owner may read, in directories created on the way. Throws a SetupError that says why not. */
export async function savePrivateFile(file: string, content: string): Promise<void> {
  await explainWriteErrors(file, async () => {
    await createDirectory(path.dirname(file));
    await writeFileAtomically(file, content, 0o600);
  });
}

/** Returns the text of a file; undefined when the file does not exist. */
export const readIfExists = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch(ignore('ENOENT'));

/** Reads a JSON file; undefined when the file is missing or does not match `schema`. Throws when it cannot be read. */
export async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readIfExists(file);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Returns the content of a private file, generated when missing: the same for several processes at once. */
export async function readOrCreate(file: string, generate: () => Promise<string>): Promise<string> {
  const existing = await readFile(file, 'utf8').catch(() => undefined);
  if (existing !== undefined) return existing;
  await explainWriteErrors(file, async () => {
    await createDirectory(path.dirname(file));
    await createFileExclusively(file, await generate(), 0o600);
  });
  return readFile(file, 'utf8');
}

export interface ListedFile {
  path: string;
  /** Path below the listed directory, with `/`. */
  relativePath: string;
  bytes: number;
}

/** Lists the regular files below `directory` in order. Skips symbolic links, and names that begin with `ignoredPrefix`. */
export async function listFiles(directory: string, ignoredPrefix?: string, parent = ''): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for await (const entry of await opendir(directory)) {
    const full = path.join(directory, entry.name);
    const relativePath = `${parent}${entry.name}`;
    if (entry.isDirectory()) files.push(...(await listFiles(full, ignoredPrefix, `${relativePath}/`)));
    else if (entry.isFile() && !(ignoredPrefix && entry.name.startsWith(ignoredPrefix)))
      files.push({ path: full, relativePath, bytes: (await lstat(full)).size });
  }
  return files.sort((a, b) => (a.relativePath < b.relativePath ? -1 : 1));
}
