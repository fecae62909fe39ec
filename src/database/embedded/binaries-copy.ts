import fs from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../platform/system-errors.js';
import { type Binaries, restoreLinks } from './binaries.js';

/** Returns whether only compiling against Postgres needs the file, for example `libpq.a`. */
const isForCompiling = (name: string) => name.endsWith('.a') || name === 'pkgconfig' || name === 'pgxs';

/**
 * Copies each file that `to` lacks, readable by everybody and writable by its owner, whatever the umask of npm was.
 * Files appear whole, because a copy in use may need completing: cleaners of /var/tmp delete file by file.
 */
function copyMissing(from: string, to: string): void {
  if (!fs.existsSync(to)) {
    fs.mkdirSync(to);
    fs.chmodSync(to, 0o755);
  }
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    // `restoreLinks` creates the links afterwards.
    if (isForCompiling(entry.name) || entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) copyMissing(source, target);
    else if (!fs.existsSync(target)) {
      const temporary = `${target}.${process.pid}.tmp`;
      fs.copyFileSync(source, temporary);
      fs.chmodSync(temporary, fs.lstatSync(source).mode & 0o100 ? 0o755 : 0o644);
      fs.renameSync(temporary, target);
    }
  }
}

/**
 * Returns whether only the user of the process can write to the directory. Otherwise another user could leave a
 * "Postgres" there for root to run. Uses lstat, because a link to another directory is not trusted either.
 */
export function isTrusted(directory: string): boolean {
  try {
    const stat = fs.lstatSync(directory);
    return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** Copies the binaries to `to`, whole or not at all. Returns `to`, or another directory when `to` is not trusted. */
function createCopy(from: string, to: string): string {
  if (!isTrusted(to)) {
    // mkdtemp creates a new directory of mode 0700, so nobody can have prepared files in the copy.
    const temporary = fs.mkdtempSync(`${to}-`);
    try {
      copyMissing(from, temporary);
      restoreLinks(temporary, from);
      fs.chmodSync(temporary, 0o755);
      fs.renameSync(temporary, to);
      return to;
    } catch (error) {
      const isTaken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EACCES'].includes(errorCode(error) ?? '');
      if (isTaken && isTrusted(temporary) && fs.existsSync(to) && !isTrusted(to)) return temporary;
      fs.rmSync(temporary, { recursive: true, force: true });
      // Continue when another process of the same user created the copy first.
      if (!isTaken || !isTrusted(to)) throw error;
    }
  }
  copyMissing(from, to);
  restoreLinks(to, from);
  return to;
}

/** Copies the binaries to `to`, or completes `previous`, the copy of an earlier call, while `previous` is trusted. */
export function copyBinaries(binaries: Binaries, to: string, previous: string | undefined): Binaries {
  const target = previous?.startsWith(to) === true && isTrusted(previous) ? previous : to;
  return { ...binaries, directory: createCopy(binaries.directory, target) };
}
