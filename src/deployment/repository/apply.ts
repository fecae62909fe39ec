import { copyFile, mkdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SetupError, toMessage } from '../../contract/errors.js';
import { ownIdentity } from '../../platform/processes.js';
import { errorCode, ignore } from '../../platform/system-errors.js';
import { beginJournal, commitJournal, endJournal, type Journal, statePaths } from './journal.js';
import type { Write } from './plan.js';
import { backUp, undoWrites } from './restore.js';

export interface ApplyOptions {
  signal?: AbortSignal | undefined;
  /** Runs before each step, where tests interrupt. */
  onStep?: (() => void | Promise<void>) | undefined;
}

/** Creates the error of a run that was aborted and undone. */
export const toInterruptedError = () => new SetupError('Interrupted: the working tree is unchanged');

/**
 * Writes all files or none. An error or an abort undoes the writes; after `kill -9`, `restoreInterrupted` of the next run
 * does. A reader sees the old or the new content of a file, and never a part.
 */
export async function applyWrites(root: string, writes: readonly Write[], options: ApplyOptions = {}): Promise<void> {
  if (writes.length === 0) return;
  const directories = new Set(writes.flatMap((write) => write.missingDirectories));
  const journal: Journal = {
    process: ownIdentity(),
    files: writes.map((write) => write.path),
    folders: [...directories].sort((a, b) => a.length - b.length),
  };
  const step = async () => {
    await options.onStep?.();
    options.signal?.throwIfAborted();
  };
  await step();
  await beginJournal(root, journal).catch((cause) => {
    throw toMergeError(cause, root);
  });
  try {
    await putInPlace(root, writes, journal, step);
    await step();
    await commitJournal(root, journal);
  } catch (cause) {
    await undoWrites(root, journal).catch((error) => {
      throw new SetupError(`Cannot undo the failed merge: ${toReason(error, root)}`, {
        hint: 'Correct the cause and run again, which first restores the files.',
        cause,
      });
    });
    await endJournal(root);
    throw options.signal?.aborted ? toInterruptedError() : toMergeError(cause, root);
  }
  await endJournal(root);
}

async function putInPlace(root: string, writes: readonly Write[], journal: Journal, step: () => Promise<void>) {
  const state = statePaths(root);
  // Hides the contents from git for the time of the merge, because they may be secret.
  await writeFile(state.ignore, '*\n');
  await mkdir(state.new);
  await mkdir(state.old);
  for (const [index, { content, mode }] of writes.entries()) {
    await step();
    await writeFile(path.join(state.new, String(index)), content, { mode, flag: 'wx', flush: true });
  }
  for (const directory of journal.folders) {
    await step();
    await mkdir(path.join(root, directory)).catch(ignore('EEXIST'));
  }
  for (const [index, write] of writes.entries()) {
    const target = path.join(root, write.path);
    await step();
    await backUp(target, path.join(state.old, String(index)));
    await step();
    await move(path.join(state.new, String(index)), target);
  }
}

/** Moves a file, also between file systems, for example onto a volume below the working tree. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    // Renames the source first: from then on `undoWrites` may remove a new target, because `new/<index>` is gone.
    const copied = `${from}.copied`;
    await rename(from, copied);
    await rm(to, { force: true });
    await copyFile(copied, to);
    await unlink(copied);
  }
}

/** Returns the message of an error with paths relative to the working tree. */
const toReason = (cause: unknown, root: string) => toMessage(cause).replaceAll(`${root}${path.sep}`, '');

function toMergeError(cause: unknown, root: string): SetupError {
  if (cause instanceof SetupError) return cause;
  return new SetupError(`Cannot write into the working tree: ${toReason(cause, root)}`, {
    hint: 'Nothing was changed. Make the directory writable or free some space.',
    cause,
  });
}
