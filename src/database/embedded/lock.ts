import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory } from '../../platform/files.js';
import { isAlive, ownIdentity, processIdentity } from '../../platform/processes.js';
import { EmbeddedPostgresError, errorCode } from './errors.js';
import { createExclusively, poll, readIfThere, writeAtomically } from './files.js';

/** Longer than the longest thing done under the lock: a start that recovers from a crash. */
const WAIT_MS = 180_000;
const KEPT = 8;
const FREE = '{"free":true}';

async function numbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** The process that holds a lock file; 'nobody' when it was let go, or when its process is dead. */
function holder(text: string): number | 'nobody' {
  try {
    const identity = processIdentity.safeParse(JSON.parse(text));
    return identity.success && isAlive(identity.data) ? identity.data.pid : 'nobody';
  } catch {
    return 'nobody';
  }
}

/**
 * Runs `work` while no other process, and no other caller in this one, is inside `withLock` on the same folder.
 * A lock whose process died is taken over.
 *
 * The files in `folder` are numbered, and the highest number is the lock. It is taken by creating the next number, which
 * only one process can do, and let go by writing so into it: the highest number never falls. Were a dead process's lock
 * deleted instead, two that both saw it dead could each delete the other's new one.
 */
export async function withLock<T>(folder: string, log: (line: string) => void, work: () => Promise<T>): Promise<T> {
  await createDirectory(folder);
  const since = performance.now();
  let blocker: number | undefined;
  let told = false;
  const mine = await poll(WAIT_MS, async () => {
    const highest = Math.max(0, ...(await numbers(folder)));
    if (highest > 0) {
      const text = await readIfThere(join(folder, String(highest)));
      if (text === undefined) return undefined;
      const found = holder(text);
      if (found !== 'nobody') {
        blocker = found;
        if (!told && performance.now() - since > 2000) {
          told = true;
          log(`Waiting for process ${found}, which is starting or stopping the database.`);
        }
        return undefined;
      }
    }
    const next = highest + 1;
    if (!(await createExclusively(join(folder, String(next)), JSON.stringify(ownIdentity())))) return undefined;
    if (Math.max(...(await numbers(folder))) === next) return next;
    // `highest` was long past when it was read: others took higher numbers and cleaned up since.
    await unlink(join(folder, String(next)));
    return undefined;
  });
  if (mine === undefined) {
    throw new EmbeddedPostgresError(
      'lock_timeout',
      `Process ${blocker ?? 'unknown'} has kept ${folder} locked for ${WAIT_MS / 1000} seconds.`,
      'See whether that process hangs, end it, and try again.',
    );
  }
  try {
    // The last few stay, so that a slow reader of the folder cannot miss both an old number and its successor.
    for (const old of await numbers(folder)) if (old <= mine - KEPT) await unlink(join(folder, String(old)));
    return await work();
  } finally {
    await writeAtomically(join(folder, String(mine)), FREE).catch((error: unknown) => {
      // The home was deleted meanwhile, and the lock with it.
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  }
}
