import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, createFileExclusively, readIfExists, writeFileAtomically } from '../../platform/files.js';
import { isAlive, ownIdentity, processIdentity } from '../../platform/processes.js';
import { ignore } from '../../platform/system-errors.js';
import { EmbeddedPostgresError } from './errors.js';
import { poll } from './poll.js';

/** Exceeds the longest work under the lock: a start with recovery from a crash. */
const maxWaitMs = 180_000;
const logAfterMs = 2_000;
/** Numbers that stay, because a slow reader of the directory must not miss both an old number and the next. */
const numbersToKeep = 8;

/**
 * Runs `work` under the lock: one caller at a time, across processes and within a process. The lock of a dead process
 * is taken over at once.
 *
 * The files in `directory` are numbered, for example `41` and `42`, and the highest number is the lock. A process takes
 * the lock by creating the next number exclusively, and releases the lock by writing `{"free":true}`. The highest
 * number never falls.
 *
 * proper-lockfile is no substitute: of two processes at a stale lock, the slower process deletes the new lock of the
 * faster process, and both run. Moreover a lock is stale by age alone there, so a suspended process loses its lock.
 */
export async function withLock<T>(directory: string, log: (line: string) => void, work: () => Promise<T>): Promise<T> {
  await createDirectory(directory);
  const number = await acquire(directory, log);
  try {
    for (const old of await readNumbers(directory)) {
      if (old <= number - numbersToKeep) await unlink(join(directory, String(old)));
    }
    return await work();
  } finally {
    await release(directory, number);
  }
}

async function acquire(directory: string, log: (line: string) => void): Promise<number> {
  const startedAt = performance.now();
  let blocker: number | undefined;
  let isLogged = false;
  const number = await poll(maxWaitMs, async () => {
    const attempt = await tryToAcquire(directory);
    if (attempt.number !== undefined) return attempt.number;
    blocker = attempt.blocker ?? blocker;
    if (attempt.blocker !== undefined && !isLogged && performance.now() - startedAt > logAfterMs) {
      isLogged = true;
      log(`Waiting for process ${attempt.blocker}, which is starting or stopping the database`);
    }
    return undefined;
  });
  if (number !== undefined) return number;
  throw new EmbeddedPostgresError(
    'lock_timeout',
    `Process ${blocker ?? 'unknown'} has locked ${directory} for ${maxWaitMs / 1000} seconds`,
    'Check whether that process hangs, end it, and try again.',
  );
}

/** Returns the number of the acquired lock, or the process with the lock, or nothing after a lost race. */
async function tryToAcquire(directory: string): Promise<{ number?: number; blocker?: number }> {
  const highest = Math.max(0, ...(await readNumbers(directory)));
  if (highest > 0) {
    const content = await readIfExists(join(directory, String(highest)));
    if (content === undefined) return {};
    const blocker = toLiveHolder(content);
    if (blocker !== undefined) return { blocker };
  }
  const number = highest + 1;
  const file = join(directory, String(number));
  if (!(await createFileExclusively(file, JSON.stringify(ownIdentity()), 0o644))) return {};
  if (Math.max(...(await readNumbers(directory))) === number) return { number };
  // `highest` was out of date: meanwhile processes have taken higher numbers and deleted old numbers.
  await unlink(file);
  return {};
}

async function release(directory: string, number: number): Promise<void> {
  // The home may have been deleted, and the lock with the home.
  await writeFileAtomically(join(directory, String(number)), '{"free":true}', 0o644).catch(ignore('ENOENT'));
}

const readNumbers = async (directory: string): Promise<number[]> =>
  (await readdir(directory)).filter((name) => /^\d+$/.test(name)).map(Number);

/** Returns the process id in a lock file; undefined when the lock is free or the process is dead. */
function toLiveHolder(content: string): number | undefined {
  try {
    const identity = processIdentity.safeParse(JSON.parse(content));
    return identity.success && isAlive(identity.data) ? identity.data.pid : undefined;
  } catch {
    return undefined;
  }
}
