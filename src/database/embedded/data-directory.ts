import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../../platform/files.js';
import { type Binaries, findInstalledBinaries, tryToRestoreLinks } from './binaries.js';
import { copyBinaries } from './binaries-copy.js';
import { EmbeddedPostgresError } from './errors.js';
import { canEnter, canRun, nobody, type RunAs } from './file-access.js';
import { createOutsideRoot, discardLeftover, findOutsideRoot, outsideDirectory, readLocation } from './outside-root.js';
import type { HomePaths } from './paths.js';

export interface DataDirectory {
  /** Parent of `data` and of the directories in which a new `data` is created. */
  root: string;
  data: string;
  runAs: RunAs;
}

/**
 * Returns the data directory and the user to run Postgres as. Under root, Postgres runs as the owner of the data, and
 * as nobody for new data. When nobody cannot enter the home, for example a home of mode 0700 made by mktemp,
 * `location.json` names a directory under /var/tmp for the data. Call under the lock.
 */
export async function findDataDirectory(paths: HomePaths, log: (line: string) => void): Promise<DataDirectory> {
  const inside = toDataDirectory(paths.postgres, undefined);
  if (process.getuid?.() !== 0) return inside;
  const recorded = await findOutsideRoot(paths);
  if (recorded !== undefined) return toDataDirectory(recorded, nobody);
  if (existsSync(join(inside.data, 'PG_VERSION'))) return { ...inside, runAs: findOwner(paths, inside.data) };
  await discardLeftover(paths.home, log);
  if (canEnter(paths.postgres, nobody)) return { ...inside, runAs: nobody };
  const root = await createOutsideRoot(paths);
  log(
    `Storing the data of ${paths.home} in ${root}, because Postgres cannot run as root and no other user can enter the home`,
  );
  return toDataDirectory(root, nobody);
}

const toDataDirectory = (root: string, runAs: RunAs): DataDirectory => ({ root, data: join(root, 'data'), runAs });

/** Returns the owner of existing data; nobody for data of root. */
function findOwner({ postgres }: HomePaths, data: string): NonNullable<RunAs> {
  const owner = lstatSync(data);
  const runAs = owner.uid === 0 ? nobody : { uid: owner.uid, gid: owner.gid };
  if (canEnter(postgres, runAs)) return runAs;
  throw new EmbeddedPostgresError(
    'data_unreadable',
    `Postgres runs as user ${runAs.uid}, the owner of ${data}, but that user can no longer enter the directory`,
    'Let that user enter each directory above it again (chmod o+x).',
  );
}

/** Returns complete binaries for the user `runAs`: the installed package or a copy. Call under the lock. */
export async function findBinaries(paths: HomePaths, runAs: RunAs, log: (line: string) => void): Promise<Binaries> {
  const installed = findInstalledBinaries();
  const isComplete = tryToRestoreLinks(installed.directory);
  if (isComplete && (runAs === undefined || canRun(installed, runAs))) return installed;
  if (runAs === undefined) {
    return copyBinaries(installed, join(paths.postgres, `binaries-${installed.version}`), undefined);
  }
  const location = await readLocation(paths);
  const shared = join(outsideDirectory, `reefguide-postgres-${installed.version}-${process.arch}`);
  const copy = copyBinaries(installed, shared, location?.binaries);
  if (copy.directory !== location?.binaries) {
    log(`Using a copy of Postgres in ${copy.directory}`);
    const record = { home: paths.home, root: location?.root ?? paths.postgres, binaries: copy.directory };
    await writeFileAtomically(paths.location, JSON.stringify(record), 0o644);
  }
  return copy;
}
