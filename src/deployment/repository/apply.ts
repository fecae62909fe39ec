import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../../contract/errors.js';
import { ownIdentity } from '../../platform/processes.js';
import {
  beginJournal,
  codeOf,
  commitJournal,
  endJournal,
  type Journal,
  keep,
  move,
  statePaths,
  undo,
} from './journal.js';
import type { Write } from './plan.js';

export interface ApplyOptions {
  signal?: AbortSignal | undefined;
  /** Called before each step; tests interrupt there. */
  onStep?: (() => void | Promise<void>) | undefined;
}

/**
 * Puts all files in place, or none: an error or an abort undoes what was done, and after a `kill -9` the next run does so
 * (`restoreInterrupted`). Each target goes from its old to its new content in one step.
 */
export async function applyWrites(root: string, writes: readonly Write[], options: ApplyOptions = {}): Promise<void> {
  if (writes.length === 0) return;
  const journal: Journal = {
    process: ownIdentity(),
    files: writes.map((write) => write.path),
    folders: [...new Set(writes.flatMap((write) => write.missingFolders))].sort((a, b) => a.length - b.length),
  };
  const step = async () => {
    await options.onStep?.();
    options.signal?.throwIfAborted();
  };
  await step();
  await beginJournal(root, journal).catch((cause) => {
    throw explained(cause, root);
  });
  try {
    await putInPlace(root, writes, journal, step);
    await step();
    await commitJournal(root, journal);
  } catch (cause) {
    await undo(root, journal).catch((error) => {
      throw new SetupError(`The merge failed and could not be undone: ${reasonOf(error, root)}`, {
        hint: 'See to that, then run again: it restores the files first.',
        cause,
      });
    });
    await endJournal(root);
    throw options.signal?.aborted
      ? new SetupError('Interrupted: the working tree is as it was')
      : explained(cause, root);
  }
  await endJournal(root);
}

async function putInPlace(root: string, writes: readonly Write[], journal: Journal, step: () => Promise<void>) {
  const state = statePaths(root);
  // The contents that lie here for a moment may be secret.
  await writeFile(state.ignore, '*\n');
  await mkdir(state.new);
  await mkdir(state.old);
  for (const [index, { content, mode }] of writes.entries()) {
    await step();
    await writeFile(path.join(state.new, String(index)), content, { mode, flag: 'wx', flush: true });
  }
  for (const folder of journal.folders) {
    await step();
    await mkdir(path.join(root, folder)).catch((error) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
  for (const [index, write] of writes.entries()) {
    const target = path.join(root, write.path);
    await step();
    await keep(target, path.join(state.old, String(index)));
    await step();
    await move(path.join(state.new, String(index)), target);
  }
}

/** The system's words without the paths of this machine. */
function reasonOf(cause: unknown, root: string): string {
  const message = typeof cause === 'object' && cause !== null && 'message' in cause ? cause.message : cause;
  return String(message).replaceAll(`${root}${path.sep}`, '');
}

function explained(cause: unknown, root: string): SetupError {
  if (cause instanceof SetupError) return cause;
  return new SetupError(`Cannot write into the working tree: ${reasonOf(cause, root)}`, {
    hint: 'Nothing was changed. Make it writable or free some space.',
    cause,
  });
}
