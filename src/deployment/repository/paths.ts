/** Remembers the repository. The command writes this file itself, and no repository may contain it. */
export const rememberedFile = 'env.json';
/** Stores new and old contents during a merge. */
export const stateDirectory = '.reefguide-config';
/** Lists the variables of a stage. */
export const substituteFile = 'substitute.json';

/** Returns whether a name is one directory of a repository, and neither an option nor a path such as `..`. */
export const isPlainName = (name: string): boolean => /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(name);

// Includes the spellings that Windows and macOS take for .git: `.GIT`, `.git.`, `GIT~1`, and invisible characters.
const isGitDirectory = (part: string) => /^(\.git|git~\d+)[. ]*$/i.test(part.replaceAll(/\p{Cf}/gu, ''));

/** Returns the reason not to write a relative path below the working tree, for example for `../a`; undefined for none. */
export function findPathProblem(path: string): string | undefined {
  const parts = path.split('/');
  if (path.startsWith('/') || parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'the path leads out of the working tree';
  if (/[\p{Cc}\\:]/u.test(path)) return 'the name contains a control character, a backslash or a colon';
  if (parts.some(isGitDirectory)) return 'the path belongs to git';
  const first = parts[0]?.toLowerCase();
  if (first === stateDirectory) return 'the path is reserved for files of this command';
  if (first === rememberedFile) return 'the path is reserved for the remembered repository';
  return undefined;
}

/** Returns the mode of a file. Only the owner may read `.env` files, because they contain secrets. */
export function toMode(path: string, executable: boolean): number {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith('.env')) return 0o600;
  return executable ? 0o755 : 0o644;
}

/** Returns the directories above a file, for example `a/b/c` → `a` and `a/b`. */
export function listParents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
