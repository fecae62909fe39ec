import { randomBytes } from 'node:crypto';
import { chmod, link, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { errorCode } from './errors.js';

/** Paths of one home. `home` is the real path, so that two spellings of it share one server. */
export interface HomePaths {
  home: string;
  postgres: string;
  holders: string;
  lock: string;
  password: string;
  location: string;
  server: string;
  log: string;
}

export function homePaths(home: string): HomePaths {
  const postgres = join(home, 'postgres');
  return {
    home,
    postgres,
    holders: join(postgres, 'holders'),
    lock: join(postgres, 'lock'),
    password: join(postgres, 'password'),
    location: join(postgres, 'location.json'),
    server: join(postgres, 'server.json'),
    log: join(home, 'logs', 'postgres.log'),
  };
}

async function writeBeside(path: string, text: string, mode: number): Promise<string> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx', mode);
  try {
    await handle.writeFile(text);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}

/** Readers see the old text or the whole new one. `mode` is exact: the umask does not count. */
export async function writeAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  const temporary = await writeBeside(path, text, mode);
  await chmod(temporary, mode);
  await rename(temporary, path);
}

/** Makes `path` with its whole text in one step; false when it was there already. */
export async function createExclusively(path: string, text: string): Promise<boolean> {
  const temporary = await writeBeside(path, text, 0o644);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** undefined when the file is missing or is not what `schema` says: such a record is made anew. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Removes a folder into which a process that is being ended may still write. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

/** Asks until `probe` answers something else than undefined; undefined once `timeoutMs` have passed. */
export async function poll<T>(
  timeoutMs: number,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 1.2, 50)) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) return undefined;
    await delay(waitMs);
  }
}
