import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory } from '../../platform/files.js';
import { isAlive, ownIdentity, processIdentity } from '../../platform/processes.js';
import { createExclusively, readJson } from './files.js';

/** Never used twice by one process: a hold on a home that was deleted must not find its file in the new one. */
let holds = 0;

/** Registers this process as a user of the server; answers the file that says so. Call it under the lock. */
export async function addHolder(folder: string): Promise<string> {
  await createDirectory(folder);
  const identity = ownIdentity();
  for (;;) {
    const file = join(folder, `${identity.pid}-${++holds}.json`);
    if (await createExclusively(file, `${JSON.stringify(identity)}\n`)) return file;
  }
}

/** How many holds are live. The files of dead processes are removed. Call it under the lock. */
export async function countHolders(folder: string): Promise<number> {
  await createDirectory(folder);
  let live = 0;
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const identity = await readJson(file, processIdentity);
    if (identity !== undefined && isAlive(identity)) live++;
    else await rm(file, { force: true });
  }
  return live;
}
