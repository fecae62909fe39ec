import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SetupError } from '../../contract/errors.js';
import { createFileExclusively, isTemporaryName, readIfExists, writeFileAtomically } from '../../platform/files.js';
import { processIdentity } from '../../platform/processes.js';
import { ignore } from '../../platform/system-errors.js';
import { findPathProblem, rememberedFile, stateDirectory } from './paths.js';

const safePath = z.string().refine((file) => file === rememberedFile || findPathProblem(file) === undefined);
const journalSchema = z.object({
  process: processIdentity,
  /** Target paths in the order of the writes. The index names the files in `new/` and `old/`. */
  files: z.array(safePath),
  /** Directories that the merge creates, outermost first. */
  folders: z.array(safePath),
});
/**
 * The plan of a merge, stored before the merge changes anything. One atomic write for each file would not do, because a
 * merge is all or nothing: after a kill between two writes, the journal tells the next run which files to restore.
 */
export type Journal = z.infer<typeof journalSchema>;

/** Returns the paths of the state of a merge: the journal, and the contents to write and to restore. */
export function statePaths(root: string) {
  const directory = path.join(root, stateDirectory);
  const at = (name: string) => path.join(directory, name);
  return { directory, journal: at('journal.json'), new: at('new'), old: at('old'), ignore: at('.gitignore') };
}

export const toBusyError = (pid: number) =>
  new SetupError(`Another run is merging a configuration in this directory (process ${pid})`, {
    hint: 'Wait until that run has ended.',
  });

/** Writes the journal. Throws a SetupError while another run has a journal, and the system's error when writing fails. */
export async function beginJournal(root: string, journal: Journal): Promise<void> {
  const state = statePaths(root);
  await mkdir(state.directory, { mode: 0o700 }).catch(ignore('EEXIST'));
  try {
    if (await createFileExclusively(state.journal, JSON.stringify(journal), 0o600)) return;
  } catch (error) {
    await rmdir(state.directory).catch(() => {});
    throw error;
  }
  throw toBusyError((await readJournal(root))?.process.pid ?? 0);
}

/** Marks a merge as complete, so that nothing is left to undo. */
export async function commitJournal(root: string, journal: Journal): Promise<void> {
  await writeFileAtomically(statePaths(root).journal, JSON.stringify({ ...journal, files: [], folders: [] }), 0o600);
}

/** Removes the state of a merge, and the journal last, because no other run begins while the journal exists. */
export async function endJournal(root: string): Promise<void> {
  const state = statePaths(root);
  const temporary = (await readdir(state.directory))
    .filter(isTemporaryName)
    .map((name) => path.join(state.directory, name));
  for (const file of [...temporary, state.new, state.old, state.ignore, state.journal])
    await rm(file, { recursive: true, force: true });
  await rmdir(state.directory).catch(ignore('ENOENT', 'ENOTEMPTY', 'EEXIST'));
}

/** Returns the journal of a merge; undefined for none. Throws a SetupError for a damaged journal. */
export async function readJournal(root: string): Promise<Journal | undefined> {
  const text = await readIfExists(statePaths(root).journal);
  if (text === undefined) return undefined;
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch {
    throw new SetupError(`Cannot undo an interrupted run: ${stateDirectory}/journal.json is damaged`, {
      hint: `Copy what you need from ${stateDirectory}/old, which has the old files. Then delete ${stateDirectory}.`,
    });
  }
}
