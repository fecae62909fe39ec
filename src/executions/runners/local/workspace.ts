import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readJson } from '../../../platform/files.js';
import { killRecordedGroups } from '../../../platform/process-groups.js';
import { isAlive, ownIdentity, type ProcessIdentity, processIdentity } from '../../../platform/processes.js';
import { toWriteError } from '../../../platform/system-errors.js';

/** File with the identity of the supervising process. */
const ownerFile = 'owner.json';
/** Longest time between the creation of a directory and of the owner file. */
const maxCreationMs = 60_000;

/** Directory of one command while the command exists: the workspace, the owner file, records of process groups. */
export class CommandDirectory {
  readonly path: string;
  /** Working directory of the command. */
  readonly workspace: string;

  constructor(root: string, executionId: string) {
    this.path = path.join(root, executionId);
    this.workspace = path.join(this.path, 'workspace');
  }

  /** Creates the directory, owned by the present process. */
  async create(): Promise<void> {
    try {
      await mkdir(this.workspace, { recursive: true });
      await writeFile(path.join(this.path, ownerFile), JSON.stringify(ownIdentity()));
    } catch (cause) {
      throw toWriteError('the directory of the command', cause);
    }
  }

  /** Returns the owner. Returns undefined for a missing or invalid file, because commands may change the file. */
  readOwner(): Promise<ProcessIdentity | undefined> {
    return readJson(path.join(this.path, ownerFile), processIdentity).catch(() => undefined);
  }

  /** Returns true when no living process owns the directory. */
  async isOrphaned(): Promise<boolean> {
    const owner = await this.readOwner();
    if (owner) return !isAlive(owner);
    const createdAt = (await stat(this.path).catch(() => undefined))?.mtimeMs ?? 0;
    return Date.now() - createdAt >= maxCreationMs;
  }

  /** Kills the recorded process groups and removes the directory. */
  async remove(): Promise<void> {
    killRecordedGroups(this.path);
    await removeIfPermitted(this.path);
  }

  /** Kills the process groups and removes all but the owner file, because the command exists until its release. */
  async removeContent(): Promise<void> {
    killRecordedGroups(this.path);
    for (const name of await readdir(this.path).catch(() => []))
      if (name !== ownerFile) await removeIfPermitted(path.join(this.path, name));
  }
}

/** Removes a file or directory. Leaves files of other users, for example of a container. */
async function removeIfPermitted(file: string): Promise<void> {
  await rm(file, { recursive: true, force: true }).catch(() => {});
}

/** Ends the commands of killed servers, and removes their directories. */
export async function removeOrphans(root: string, removeContainer: (executionId: string) => Promise<void>) {
  for (const executionId of await readdir(root)) {
    const directory = new CommandDirectory(root, executionId);
    if (!(await directory.isOrphaned())) continue;
    await removeContainer(executionId);
    await directory.remove();
  }
}
