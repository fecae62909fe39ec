import type { Issue } from '../../contract/errors.js';

/** A file of the configuration repository; `path` is relative to base or to the stage, with `/`. */
export type SourceFile =
  | { kind: 'file'; path: string; content: Buffer; executable: boolean }
  | { kind: 'link' | 'special'; path: string };

export type Origin = 'base' | 'stage';

/** A file as it is to stand in the working tree, at `path` below its root. */
export interface MergedFile {
  path: string;
  content: Buffer;
  mode: number;
  from: Origin;
}

/** What is at a target path now. `mode` is undefined where the system has none. */
export type Found =
  | { kind: 'none'; missingFolders: string[] }
  | { kind: 'file'; content: Buffer; mode: number | undefined }
  | { kind: 'folder' | 'link' | 'special' }
  | { kind: 'behind'; folder: string; what: 'link' | 'file' };

export type FileState = 'new' | 'changed' | 'same';

export interface PlannedFile {
  path: string;
  state: FileState;
  from: Origin;
}

/** A file to write, and the folders above it that are missing, outermost first. */
export interface Write {
  path: string;
  content: Buffer;
  mode: number;
  missingFolders: string[];
}

export interface Plan {
  files: PlannedFile[];
  writes: Write[];
  /** Targets that are never written. */
  refused: Issue[];
  /** Targets that only `--force` overwrites. */
  tracked: string[];
}

/** Remembers the repository, so it is ours and no file of the configuration. */
export const rememberFile = 'env.json';
/** Holds new and old contents while files are put in place. */
export const stateFolder = '.reefguide-config';
/** Lists the variables of a stage. */
export const substituteFile = 'substitute.json';

/** A name that is one folder of a repository and cannot be taken for an option or another place. */
export const isPlainName = (name: string): boolean => /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(name);

// What Windows and macOS also take for .git: other case, trailing dots and spaces, the short name, invisible characters.
const isGitFolder = (part: string) => /^(\.git|git~\d+)[. ]*$/i.test(part.replaceAll(/\p{Cf}/gu, ''));

/** Why a relative path must not be written below the working tree, or undefined when it may. */
export function refusedPath(path: string): string | undefined {
  const parts = path.split('/');
  if (path.startsWith('/') || parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'it leads out of the working tree';
  if (/[\p{Cc}\\:]/u.test(path)) return 'its name holds a control character, a backslash or a colon';
  if (parts.some(isGitFolder)) return "it is git's own";
  const first = parts[0]?.toLowerCase();
  if (first === stateFolder) return 'this command keeps its own files there';
  if (first === rememberFile) return 'this command keeps the repository there';
  return undefined;
}

/** Secrets in `.env` files are for the owner alone. */
export function modeOf(path: string, executable: boolean): number {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith('.env')) return 0o600;
  return executable ? 0o755 : 0o644;
}

const sourceProblems = {
  link: 'is a symbolic link, which is not followed; put the file itself into the repository',
  special: 'is neither a file nor a folder',
};

/** The stage's files over those of base, by path. A file that must not be copied is named in `refused`, even if hidden. */
export function mergeSources(
  base: readonly SourceFile[],
  stage: readonly SourceFile[],
): { files: MergedFile[]; refused: Issue[] } {
  const merged = new Map<string, MergedFile>();
  const refused: Issue[] = [];
  const add = (source: SourceFile, from: Origin) => {
    const reason = refusedPath(source.path);
    // The name may hold control characters, which a terminal must not see.
    if (reason) refused.push({ path: `${from}/${source.path.replaceAll(/\p{Cc}/gu, '?')}`, message: reason });
    else if (source.kind !== 'file')
      refused.push({ path: `${from}/${source.path}`, message: sourceProblems[source.kind] });
    else {
      const { path, content, executable } = source;
      merged.set(path, { path, content, mode: modeOf(path, executable), from });
    }
  };
  for (const source of base) add(source, 'base');
  for (const source of stage) add(source, 'stage');
  for (const { path, from } of merged.values()) {
    const above = foldersAbove(path).find((folder) => merged.has(folder));
    if (above) refused.push({ path: `${from}/${path}`, message: `${above} is a file as well as a folder` });
  }
  const files = [...merged.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  return { files, refused };
}

/** `a` and `a/b` for `a/b/c`. */
export function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

const targetProblems = {
  folder: 'is a folder in the working tree',
  link: 'is a symbolic link in the working tree',
  special: 'is no ordinary file in the working tree',
};

/** What is to be done for each file, given what is in the working tree (`found`, by path) and what git tracks there. */
export function planWrites(
  files: readonly MergedFile[],
  found: ReadonlyMap<string, Found>,
  { tracked, force }: { tracked: ReadonlySet<string>; force: boolean },
): Plan {
  const plan: Plan = { files: [], writes: [], refused: [], tracked: [] };
  for (const file of files) {
    const { path, from } = file;
    const there = found.get(path) ?? { kind: 'none', missingFolders: [] };
    if (there.kind === 'behind') {
      const what = there.what === 'link' ? 'a symbolic link' : 'a file';
      plan.refused.push({ path, message: `its folder ${there.folder} is ${what} in the working tree` });
    } else if (there.kind !== 'none' && there.kind !== 'file') {
      plan.refused.push({ path, message: targetProblems[there.kind] });
    } else {
      const state = stateOf(file, there);
      plan.files.push({ path, state, from });
      if (state !== 'same') plan.writes.push(toWrite(file, there));
      if (state === 'changed' && tracked.has(path) && !force) plan.tracked.push(path);
    }
  }
  return plan;
}

type Writable = Extract<Found, { kind: 'none' | 'file' }>;

export const toWrite = ({ path, content, mode }: Omit<Write, 'missingFolders'>, there: Writable): Write => ({
  path,
  content,
  mode,
  missingFolders: there.kind === 'none' ? there.missingFolders : [],
});

function stateOf(file: MergedFile, there: Writable): FileState {
  if (there.kind === 'none') return 'new';
  return file.content.equals(there.content) && modeFits(file.mode, there.mode) ? 'same' : 'changed';
}

/** The bits that count are whether the owner may run it and, of a secret, whether others may read it; umask has the rest. */
function modeFits(wanted: number, actual: number | undefined): boolean {
  if (actual === undefined) return true;
  if (wanted === 0o600 && (actual & 0o077) !== 0) return false;
  return (wanted & 0o100) === (actual & 0o100);
}
