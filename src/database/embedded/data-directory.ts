import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type Binaries, installedBinaries, linksRestored } from './binaries.js';
import { copyBinaries, isTrusted } from './binaries-copy.js';
import { EmbeddedPostgresError } from './errors.js';
import { type HomePaths, readIfThere, readJson, removeFolder, writeAtomically } from './files.js';
import { killPostgresIn } from './processes.js';

/** The user that Postgres runs as. undefined: the one that this process runs as. */
export type RunAs = { uid: number; gid: number } | undefined;

export interface DataDirectory {
  /** The folder that holds `data`, and folders in which `data` is being made. */
  root: string;
  data: string;
  runAs: RunAs;
}

/** Postgres refuses to run as root. "nobody" needs no new account; macOS gives nobody no usable number, so daemon there. */
const NOBODY = process.platform === 'darwin' ? { uid: 1, gid: 1 } : { uid: 65534, gid: 65534 };

/** Not /tmp: it is emptied at boot, and often kept in memory. */
const OUTSIDE = '/var/tmp';
const OUTSIDE_DATA = 'reefguide-data-';

const locationRecord = z.object({ home: z.string(), root: z.string(), binaries: z.string().optional() });

function allows(path: string, who: { uid: number; gid: number }, wanted: number): boolean {
  try {
    const { uid, gid, mode } = statSync(path);
    const granted = uid === who.uid ? mode >> 6 : gid === who.gid ? mode >> 3 : mode;
    return (granted & wanted) === wanted;
  } catch {
    return false;
  }
}

function canEnter(folder: string, who: { uid: number; gid: number }): boolean {
  for (let at = realpathSync(folder); ; at = dirname(at)) {
    if (!allows(at, who, 0o1)) return false;
    if (at === dirname(at)) return true;
  }
}

function canRun(binaries: Binaries, who: { uid: number; gid: number }): boolean {
  const at = (...parts: string[]) => join(binaries.folder, ...parts);
  return (
    canEnter(at('bin'), who) &&
    allows(at('bin', 'postgres'), who, 0o5) &&
    allows(at('lib'), who, 0o5) &&
    allows(at('share', 'postgresql', 'postgres.bki'), who, 0o4)
  );
}

/** The same home has the same folder outside, so that one left by a deleted home is found again. */
function outsideRoot(home: string): string {
  return join(OUTSIDE, `${OUTSIDE_DATA}${createHash('sha256').update(home).digest('hex').slice(0, 16)}`);
}

async function discard(root: string): Promise<void> {
  await killPostgresIn(root);
  await removeFolder(root);
}

/** Folders of temporary homes that have been deleted. Any other home that is gone may be on a disk that is not mounted. */
async function sweepOutside(): Promise<void> {
  for (const name of readdirSync(OUTSIDE).filter((entry) => entry.startsWith(OUTSIDE_DATA))) {
    const root = join(OUTSIDE, name);
    if (!isTrusted(root)) continue;
    const home = await readIfThere(join(root, 'home'));
    if (home !== undefined && /^\/(var\/)?tmp\//.test(home) && !existsSync(home)) await discard(root);
  }
}

async function makeOutside(home: string): Promise<string> {
  await sweepOutside();
  let root = outsideRoot(home);
  try {
    await mkdir(root);
  } catch {
    // Somebody else's, or writable by others: a name that nobody could foresee, remembered in location.json.
    root = mkdtempSync(`${root}-`);
  }
  await chmod(root, 0o755);
  await writeAtomically(join(root, 'home'), home);
  return root;
}

/** The recorded folder outside; undefined when there is none, or when the record was copied from another home. */
async function recordedRoot(paths: HomePaths): Promise<string | undefined> {
  const record = await readJson(paths.location, locationRecord);
  if (record === undefined || record.root === paths.postgres || !isTrusted(record.root)) return undefined;
  if (record.home === paths.home) return record.root;
  if (existsSync(record.home)) return undefined;
  // The home was renamed. A new home of the old name must not find this folder and take it for one left behind.
  await killPostgresIn(record.root);
  const root = outsideRoot(paths.home);
  await removeFolder(root);
  await rename(record.root, root);
  await writeAtomically(join(root, 'home'), paths.home);
  await writeAtomically(paths.location, JSON.stringify({ ...record, home: paths.home, root }));
  return root;
}

/**
 * Where the data are, and as whom Postgres runs. As root, Postgres runs as the owner of the data (nobody, for new ones).
 * When that user cannot get at the home (of mode 0700, say, as mktemp makes them), the data are kept under /var/tmp,
 * and `location.json` says where. Call it under the lock.
 */
export async function findDataDirectory(paths: HomePaths, log: (line: string) => void): Promise<DataDirectory> {
  const at = (root: string, runAs: RunAs): DataDirectory => ({ root, data: join(root, 'data'), runAs });
  const inside = at(paths.postgres, undefined);
  if (process.getuid?.() !== 0) return inside;

  const recorded = await recordedRoot(paths);
  if (recorded !== undefined) return at(recorded, NOBODY);
  if (existsSync(join(inside.data, 'PG_VERSION'))) {
    const owner = lstatSync(inside.data);
    const runAs = owner.uid === 0 ? NOBODY : { uid: owner.uid, gid: owner.gid };
    if (canEnter(paths.postgres, runAs)) return at(paths.postgres, runAs);
    throw new EmbeddedPostgresError(
      'data_unreadable',
      `Postgres runs as user ${runAs.uid}, the owner of ${inside.data}, who cannot get at that folder any more.`,
      'Make each folder above it enterable for that user again (chmod o+x).',
    );
  }

  const left = outsideRoot(paths.home);
  if (isTrusted(left)) {
    log(`Removing the data of a home that was deleted (${left}).`);
    await discard(left);
  }
  if (canEnter(paths.postgres, NOBODY)) return at(paths.postgres, NOBODY);
  const root = await makeOutside(paths.home);
  await writeAtomically(paths.location, JSON.stringify({ home: paths.home, root }));
  log(`Postgres cannot run as root, and no other user can enter ${paths.home}: its data are kept in ${root}.`);
  return at(root, NOBODY);
}

/** The binaries, complete and where the user that runs them can get at them. Call it under the lock. */
export async function findBinaries(paths: HomePaths, runAs: RunAs, log: (line: string) => void): Promise<Binaries> {
  const installed = installedBinaries();
  if (linksRestored(installed.folder) && (runAs === undefined || canRun(installed, runAs))) return installed;
  if (runAs === undefined) {
    return copyBinaries(installed, join(paths.postgres, `binaries-${installed.version}`), undefined);
  }
  const record = await readJson(paths.location, locationRecord);
  const shared = join(OUTSIDE, `reefguide-postgres-${installed.version}-${process.arch}`);
  const copy = copyBinaries(installed, shared, record?.binaries);
  if (copy.folder !== record?.binaries) {
    log(`Using a copy of Postgres in ${copy.folder}.`);
    const home = { home: paths.home, root: record?.root ?? paths.postgres };
    await writeAtomically(paths.location, JSON.stringify({ ...home, binaries: copy.folder }));
  }
  return copy;
}
