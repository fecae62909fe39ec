import { copyFile, link, lstat, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../../contract/errors.js';
import { createDirectory } from '../../platform/files.js';
import { isAlive } from '../../platform/processes.js';
import { errorCode, ignore } from '../../platform/system-errors.js';
import { inspectTarget } from './files.js';
import { endJournal, type Journal, readJournal, statePaths, toBusyError } from './journal.js';
import { stateDirectory } from './paths.js';

/**
 * Saves a target as `old`, for example `.reefguide-config/old/0`, or creates `old`.none for a missing target. A hard link
 * keeps times and owner; without links, a copy keeps the content.
 */
export async function backUp(target: string, old: string): Promise<void> {
  try {
    await link(target, old);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return writeFile(`${old}.none`, '');
    const part = `${old}.part`;
    await copyFile(target, part);
    await rename(part, old);
  }
}

/** Restores the files and directories of a journal from their backups. Running twice does no harm. */
export async function undoWrites(root: string, journal: Journal): Promise<void> {
  const state = statePaths(root);
  for (const [index, file] of [...journal.files.entries()].reverse()) {
    const target = path.join(root, file);
    const old = path.join(state.old, String(index));
    const current = await inspectTarget(root, file);
    if (await exists(old)) {
      if (current.kind === 'blocked' || current.kind === 'directory') {
        throw new SetupError(
          `Cannot restore ${file} after an interrupted run: the path is a directory or behind a link`,
          { hint: `Move the directory or link away and run again. The old file is ${stateDirectory}/old/${index}.` },
        );
      }
      await createDirectory(path.dirname(target));
      await restore(old, target);
    } else {
      const isNew = (await exists(`${old}.none`)) && !(await exists(path.join(state.new, String(index))));
      if (isNew && current.kind !== 'blocked') await rm(target, { force: true });
    }
  }
  for (const directory of [...journal.folders].reverse()) {
    await rmdir(path.join(root, directory)).catch(ignore('ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'));
  }
}

const exists = async (file: string) => (await lstat(file).catch(() => undefined)) !== undefined;

async function restore(old: string, target: string): Promise<void> {
  try {
    await rename(old, target);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    await rm(target, { force: true });
    await copyFile(old, target);
  }
}

/** Undoes a killed merge, and returns whether there was one. Throws a SetupError for a live one, and with `dryRun`. */
export async function restoreInterrupted(root: string, options: { dryRun: boolean; isAlive?: typeof isAlive }) {
  const state = await lstat(statePaths(root).directory).catch(() => undefined);
  if (!state) return false;
  if (!state.isDirectory())
    throw new SetupError(`${stateDirectory} is not a directory`, { hint: 'Move the file away.' });
  const journal = await readJournal(root);
  if (journal && (options.isAlive ?? isAlive)(journal.process)) throw toBusyError(journal.process.pid);
  if (options.dryRun) {
    throw new SetupError('An earlier run was interrupted and left files partly merged', {
      hint: 'Run once without --dry-run, which first restores the files.',
    });
  }
  if (journal) await undoWrites(root, journal);
  await endJournal(root);
  return journal !== undefined && journal.files.length > 0;
}
