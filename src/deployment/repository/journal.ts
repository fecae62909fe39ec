import {
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  unlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SetupError } from '../../contract/errors.js';
import { createDirectory } from '../../platform/files.js';
import { isAlive, type ProcessIdentity, processIdentity } from '../../platform/processes.js';
import { inspect } from './files.js';
import { refusedPath, rememberFile, stateFolder } from './plan.js';

const safePath = z.string().refine((file) => file === rememberFile || refusedPath(file) === undefined);
const journalSchema = z.object({
  process: processIdentity,
  /** In the order in which they are put in place; the index names the files in `new/` and `old/`. */
  files: z.array(safePath),
  /** That were missing, outermost first. */
  folders: z.array(safePath),
});
/** What a run is about to change: written before it changes anything. */
export type Journal = z.infer<typeof journalSchema>;

export const statePaths = (root: string) => {
  const folder = path.join(root, stateFolder);
  const at = (name: string) => path.join(folder, name);
  return { folder, journal: at('journal.json'), new: at('new'), old: at('old'), ignore: at('.gitignore') };
};

export function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const exists = (file: string) =>
  lstat(file).then(
    () => true,
    () => false,
  );
const ignoring =
  (...codes: string[]) =>
  (error: unknown) => {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
  };

const runsNow = (pid: number) =>
  new SetupError(`Another run is merging a configuration here (process ${pid})`, { hint: 'Wait until it has ended.' });

/** Writes the journal, which only one run at a time can. Throws the system's error when the folder is not writable. */
export async function beginJournal(root: string, journal: Journal): Promise<void> {
  const state = statePaths(root);
  await mkdir(state.folder, { mode: 0o700 }).catch(ignoring('EEXIST'));
  const written = `${state.journal}.${journal.process.pid}`;
  try {
    await writeFile(written, JSON.stringify(journal), { flush: true });
    // Whole or not at all, and not over that of another run.
    await link(written, state.journal);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const other = await readJournal(root);
    throw runsNow(other?.process.pid ?? 0);
  } finally {
    await rm(written, { force: true });
    await rmdir(state.folder).catch(() => {});
  }
}

/** From here on there is nothing to undo. */
export async function commitJournal(root: string, journal: Journal): Promise<void> {
  const state = statePaths(root);
  const written = `${state.journal}.${journal.process.pid}`;
  await writeFile(written, JSON.stringify({ ...journal, files: [], folders: [] }), { flush: true });
  await rename(written, state.journal);
}

/** Removes what a run kept. The journal goes last: while it is there, no other run begins. */
export async function endJournal(root: string): Promise<void> {
  const state = statePaths(root);
  for (const folder of [state.new, state.old]) await rm(folder, { recursive: true, force: true });
  for (const name of await readdir(state.folder)) {
    if (name.startsWith('journal.json.')) await rm(path.join(state.folder, name), { force: true });
  }
  await rm(state.ignore, { force: true });
  await rm(state.journal, { force: true });
  await rmdir(state.folder).catch(ignoring('ENOENT', 'ENOTEMPTY', 'EEXIST'));
}

/** Moves a file also between file systems, such as a volume that is mounted below the working tree. */
export async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    // The name tells a restore that the target is ours from now on; see `undo`.
    const copied = `${from}.copied`;
    await rename(from, copied);
    await rm(to, { force: true });
    await copyFile(copied, to);
    await unlink(copied);
  }
}

/**
 * Keeps what is at `target`, so that `undo` finds it at `old`, or `old`.none when there is nothing. A hard link keeps the
 * very file, with its times and owner; where links are not possible, a copy has its content.
 */
export async function keep(target: string, old: string): Promise<void> {
  try {
    await link(target, old);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return writeFile(`${old}.none`, '');
    const part = `${old}.part`;
    await copyFile(target, part);
    await rename(part, old);
  }
}

/** Puts everything back as it was before the run that wrote `journal`. Doing it twice does no harm. */
export async function undo(root: string, journal: Journal): Promise<void> {
  const state = statePaths(root);
  for (const [index, file] of [...journal.files.entries()].reverse()) {
    const target = path.join(root, file);
    const old = path.join(state.old, String(index));
    const there = await inspect(root, file);
    if (await exists(old)) {
      if (there.kind === 'behind' || there.kind === 'folder') throw inTheWay(file, index);
      await createDirectory(path.dirname(target));
      await restore(old, target);
    } else if (
      there.kind !== 'behind' &&
      (await exists(`${old}.none`)) &&
      !(await exists(path.join(state.new, String(index))))
    ) {
      await rm(target, { force: true });
    }
  }
  for (const folder of [...journal.folders].reverse()) {
    await rmdir(path.join(root, folder)).catch(ignoring('ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'));
  }
}

const inTheWay = (file: string, index: number) =>
  new SetupError(`Cannot restore ${file} after an interrupted run: a folder or a symbolic link is in its place`, {
    hint: `Move that away and run again. The file as it was is ${stateFolder}/old/${index}.`,
  });

async function restore(old: string, target: string): Promise<void> {
  try {
    await rename(old, target);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await rm(target, { force: true });
    await copyFile(old, target);
  }
}

async function readJournal(root: string): Promise<Journal | undefined> {
  const state = statePaths(root);
  const text = await readFile(state.journal, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch {
    throw new SetupError(`${stateFolder}/journal.json is damaged, so an interrupted run cannot be undone`, {
      hint: `The files as they were are in ${stateFolder}/old. Take what you need, then delete ${stateFolder}.`,
    });
  }
}

export interface RestoreOptions {
  /** Only look: a SetupError when there is something to restore. */
  dryRun: boolean;
  isAlive?: (identity: ProcessIdentity) => boolean;
}

/** Undoes what a killed run left half done. True when there was something. A SetupError when that run still works. */
export async function restoreInterrupted(root: string, options: RestoreOptions): Promise<boolean> {
  const state = statePaths(root);
  const there = await lstat(state.folder).catch(() => undefined);
  if (!there) return false;
  if (!there.isDirectory()) throw new SetupError(`${stateFolder} is no folder`, { hint: 'Move it away.' });
  const journal = await readJournal(root);
  if (journal && (options.isAlive ?? isAlive)(journal.process)) throw runsNow(journal.process.pid);
  if (options.dryRun) {
    throw new SetupError('An earlier run was interrupted and left files half merged', {
      hint: 'Run once without --dry-run, which restores them first.',
    });
  }
  if (journal) await undo(root, journal);
  await endJournal(root);
  return journal !== undefined && journal.files.length > 0;
}
