import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Binaries, restoreLinks } from './binaries.js';
import { errorCode } from './errors.js';

/** What only compiling against Postgres needs. */
const isUnneeded = (name: string) => name.endsWith('.a') || name === 'pkgconfig' || name === 'pgxs';

/**
 * Copies each file that `to` lacks, readable by everybody and writable by its owner, whatever the umask was when npm
 * unpacked it. Each appears whole: cleaners of /var/tmp delete file by file, so a copy in use may need filling up.
 */
function copyMissing(from: string, to: string): void {
  if (!existsSync(to)) {
    mkdirSync(to);
    chmodSync(to, 0o755);
  }
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    // Links are made from the package's list afterwards.
    if (isUnneeded(entry.name) || entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) copyMissing(source, target);
    else if (!existsSync(target)) {
      const temporary = `${target}.${process.pid}.tmp`;
      copyFileSync(source, temporary);
      chmodSync(temporary, lstatSync(source).mode & 0o100 ? 0o755 : 0o644);
      renameSync(temporary, target);
    }
  }
}

/**
 * Nobody but this user can have put anything into the folder. Without this check another user could leave a "Postgres"
 * of his own under the name that root is going to run. lstat: a link to somewhere else is not trusted either.
 */
export function isTrusted(folder: string): boolean {
  try {
    const stat = lstatSync(folder);
    return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** Makes `to` for this user only, whole or not at all, and answers it; another folder when `to` cannot be trusted. */
function makeCopy(from: string, to: string): string {
  if (!isTrusted(to)) {
    // mkdtemp makes a folder of mode 0700 that did not exist before: nobody can have prepared it.
    const temporary = mkdtempSync(`${to}-`);
    try {
      copyMissing(from, temporary);
      restoreLinks(temporary, from);
      chmodSync(temporary, 0o755);
      renameSync(temporary, to);
      return to;
    } catch (error) {
      const taken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EACCES'].includes(errorCode(error) ?? '');
      if (taken && isTrusted(temporary) && existsSync(to) && !isTrusted(to)) return temporary;
      rmSync(temporary, { recursive: true, force: true });
      // Another process of this user was first.
      if (!taken || !isTrusted(to)) throw error;
    }
  }
  copyMissing(from, to);
  restoreLinks(to, from);
  return to;
}

/** A copy of the binaries at `to`, or at `earlier` (the answer of an earlier call) when that is still there. */
export function copyBinaries(binaries: Binaries, to: string, earlier: string | undefined): Binaries {
  const usable = earlier?.startsWith(to) === true && isTrusted(earlier) ? earlier : to;
  return { ...binaries, folder: makeCopy(binaries.folder, usable) };
}
