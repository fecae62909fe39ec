import type { Issue } from '../../contract/errors.js';
import { findPathProblem, listParents, toMode } from './paths.js';

/** A file of the configuration repository. `path` is relative to base or to the stage, with `/`. */
export type SourceFile =
  | { kind: 'file'; path: string; content: Buffer; executable: boolean }
  | { kind: 'link' | 'special'; path: string };

export type Origin = 'base' | 'stage';

/** A file of the merged configuration. `path` is relative to the working tree. */
export interface MergedFile {
  path: string;
  content: Buffer;
  mode: number;
  from: Origin;
}

/** Current state of a target path. `mode` is undefined on a system without modes. */
export type TargetState =
  | { kind: 'none'; missingDirectories: string[] }
  | { kind: 'file'; content: Buffer; mode: number | undefined }
  | { kind: 'directory' | 'link' | 'special' }
  | { kind: 'blocked'; parent: string; by: 'link' | 'file' };

export interface PlannedFile {
  path: string;
  state: 'new' | 'changed' | 'same';
  from: Origin;
}

/** A file to write, and its missing parents, outermost first. */
export interface Write extends Omit<MergedFile, 'from'> {
  missingDirectories: string[];
}

export interface Plan {
  files: PlannedFile[];
  writes: Write[];
  /** Targets that cannot be written. */
  refused: Issue[];
  /** Targets that need `--force`. */
  tracked: string[];
}

const sourceProblems = {
  link: 'is a symbolic link; put the file itself into the repository',
  special: 'is neither a file nor a directory',
};

/** Merges a stage over base, sorted by path. `refused` lists files not to copy, replaced ones included. */
export function mergeSources(base: readonly SourceFile[], stage: readonly SourceFile[]) {
  const merged = new Map<string, MergedFile>();
  const refused: Issue[] = [];
  const add = (source: SourceFile, from: Origin) => {
    const problem = findPathProblem(source.path);
    // Replaces control characters, which a terminal would interpret.
    const path = `${from}/${source.path.replaceAll(/\p{Cc}/gu, '?')}`;
    if (problem) refused.push({ path, message: problem });
    else if (source.kind !== 'file') refused.push({ path, message: sourceProblems[source.kind] });
    else {
      const { path, content, executable } = source;
      merged.set(path, { path, content, mode: toMode(path, executable), from });
    }
  };
  for (const source of base) add(source, 'base');
  for (const source of stage) add(source, 'stage');
  for (const { path, from } of merged.values()) {
    const parent = listParents(path).find((directory) => merged.has(directory));
    if (parent) refused.push({ path: `${from}/${path}`, message: `${parent} is a file as well as a directory` });
  }
  return { files: [...merged.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), refused };
}

const targetProblems = {
  directory: 'is a directory in the working tree',
  link: 'is a symbolic link in the working tree',
  special: 'is no regular file in the working tree',
};

/** Plans the write of each file from the states of the targets, by path, and the paths that git tracks. */
export function planWrites(
  files: readonly MergedFile[],
  targets: ReadonlyMap<string, TargetState>,
  { tracked, force }: { tracked: ReadonlySet<string>; force: boolean },
): Plan {
  const plan: Plan = { files: [], writes: [], refused: [], tracked: [] };
  for (const file of files) {
    const { path, from } = file;
    const target = targets.get(path) ?? { kind: 'none', missingDirectories: [] };
    if (target.kind === 'blocked') {
      const blocker = target.by === 'link' ? 'a symbolic link' : 'a file';
      plan.refused.push({ path, message: `the parent ${target.parent} is ${blocker} in the working tree` });
    } else if (target.kind !== 'none' && target.kind !== 'file') {
      plan.refused.push({ path, message: targetProblems[target.kind] });
    } else {
      const state = toFileState(file, target);
      plan.files.push({ path, state, from });
      if (state !== 'same') plan.writes.push(toWrite(file, target));
      if (state === 'changed' && tracked.has(path) && !force) plan.tracked.push(path);
    }
  }
  return plan;
}

type WritableState = Extract<TargetState, { kind: 'none' | 'file' }>;

export const toWrite = ({ path, content, mode }: Omit<Write, 'missingDirectories'>, target: WritableState): Write => ({
  path,
  content,
  mode,
  missingDirectories: target.kind === 'none' ? target.missingDirectories : [],
});

function toFileState(file: MergedFile, target: WritableState): PlannedFile['state'] {
  if (target.kind === 'none') return 'new';
  return file.content.equals(target.content) && isSameMode(file.mode, target.mode) ? 'same' : 'changed';
}

/** Compares the owner's right to execute and, for a secret, the rights of other users. The umask decides the rest. */
function isSameMode(planned: number, current: number | undefined): boolean {
  if (current === undefined) return true;
  if (planned === 0o600 && (current & 0o077) !== 0) return false;
  return (planned & 0o100) === (current & 0o100);
}
