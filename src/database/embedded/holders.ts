import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, createFileExclusively, readJson } from '../../platform/files.js';
import { isAlive, ownIdentity, processIdentity } from '../../platform/processes.js';

/** Numbers the holds of the process, because a hold on a deleted home must not find its file in the new home. */
let lastHold = 0;

/** Registers a hold of the process, for example in `holders/4711-1.json`. Returns the file. Call under the lock. */
export async function addHolder(directory: string): Promise<string> {
  await createDirectory(directory);
  const identity = ownIdentity();
  for (;;) {
    lastHold += 1;
    const file = join(directory, `${identity.pid}-${lastHold}.json`);
    if (await createFileExclusively(file, `${JSON.stringify(identity)}\n`, 0o644)) return file;
  }
}

/** Counts the holds of live processes, and removes the files of dead processes. Call under the lock. */
export async function countHolders(directory: string): Promise<number> {
  await createDirectory(directory);
  let count = 0;
  for (const name of await readdir(directory)) {
    const file = join(directory, name);
    const identity = await readJson(file, processIdentity);
    if (identity !== undefined && isAlive(identity)) count += 1;
    else await rm(file, { force: true });
  }
  return count;
}
