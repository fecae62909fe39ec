import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readIfExists, readJson, writeFileAtomically } from '../../platform/files.js';
import { isTrusted } from './binaries-copy.js';
import type { HomePaths } from './paths.js';
import { discardDirectory, killPostgresIn } from './processes.js';

/** Parent of data outside of homes. Not /tmp, because /tmp is emptied at boot and often lives in memory. */
export const outsideDirectory = '/var/tmp';
const rootPrefix = 'reefguide-data-';

/** Content of `location.json`: where the data and the binaries of `home` are. */
const locationRecord = z.object({ home: z.string(), root: z.string(), binaries: z.string().optional() });

export const readLocation = (paths: HomePaths) => readJson(paths.location, locationRecord);

/** Names the root after the home, e.g. `/var/tmp/reefguide-data-0f3c…`, because a new home must find a leftover. */
const toOutsideRoot = (home: string): string =>
  join(outsideDirectory, `${rootPrefix}${createHash('sha256').update(home).digest('hex').slice(0, 16)}`);

/** Returns the recorded root; undefined when there is no record, or when the record was copied from another home. */
export async function findOutsideRoot(paths: HomePaths): Promise<string | undefined> {
  const record = await readLocation(paths);
  if (record === undefined || record.root === paths.postgres || !isTrusted(record.root)) return undefined;
  if (record.home === paths.home) return record.root;
  if (existsSync(record.home)) return undefined;
  return await followRenamedHome(paths, record);
}

/** Renames the root after its home, because a new home of the old name would discard the root as a leftover. */
async function followRenamedHome(paths: HomePaths, record: z.infer<typeof locationRecord>): Promise<string> {
  await killPostgresIn(record.root);
  const root = toOutsideRoot(paths.home);
  await discardDirectory(root);
  await rename(record.root, root);
  await recordHome(root, paths.home);
  await writeFileAtomically(paths.location, JSON.stringify({ ...record, home: paths.home, root }), 0o644);
  return root;
}

export async function createOutsideRoot(paths: HomePaths): Promise<string> {
  await discardRootsOfDeletedHomes();
  let root = toOutsideRoot(paths.home);
  try {
    await mkdir(root);
  } catch {
    // Use an unpredictable name, because another user owns the directory or can write there.
    root = mkdtempSync(`${root}-`);
  }
  await chmod(root, 0o755);
  await recordHome(root, paths.home);
  await writeFileAtomically(paths.location, JSON.stringify({ home: paths.home, root }), 0o644);
  return root;
}

/** Removes the root of a deleted home with the same path. */
export async function discardLeftover(home: string, log: (line: string) => void): Promise<void> {
  const root = toOutsideRoot(home);
  if (!isTrusted(root)) return;
  log(`Removing the data of a deleted home (${root})`);
  await discardDirectory(root);
}

/** Removes roots of deleted homes below /tmp or /var/tmp. A missing home elsewhere may be on an unmounted disk. */
async function discardRootsOfDeletedHomes(): Promise<void> {
  for (const name of readdirSync(outsideDirectory).filter((entry) => entry.startsWith(rootPrefix))) {
    const root = join(outsideDirectory, name);
    if (!isTrusted(root)) continue;
    const home = await readIfExists(join(root, 'home'));
    if (home !== undefined && /^\/(var\/)?tmp\//.test(home) && !existsSync(home)) await discardDirectory(root);
  }
}

const recordHome = (root: string, home: string) => writeFileAtomically(join(root, 'home'), home, 0o644);
