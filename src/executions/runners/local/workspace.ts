import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readJson } from '../../../platform/files.js';
import { killRecordedGroups } from '../../../platform/process-groups.js';
import { isAlive, ownIdentity, type ProcessIdentity, processIdentity } from '../../../platform/processes.js';
import { toWriteError } from '../../../platform/system-errors.js';

/** File that names the process which supervises the command. */
const ownerFile = 'owner.json';
/** A directory without an owner file is younger than this while its owner is creating the file. */
const maxCreationMs = 60_000;

/** Directory of one command while the command exists: the workspace, the owner file, records of process groups. */
export class CommandDirectory {
  readonly path: string;
  /** Directory in which the command runs. */
  readonly workspace: string;

  constructor(root: string, executionId: string) {
    this.path = path.join(root, executionId);
    this.workspace = path.join(this.path, 'workspace');
  }

  /** Creates the directory, with this process as owner. */
  async create(): Promise<void> {
    try {
      await mkdir(this.workspace, { recursive: true });
      await writeFile(path.join(this.path, ownerFile), JSON.stringify(ownIdentity()));
    } catch (cause) {
      throw toWriteError('the directory of the command', cause);
    }
  }

  /** Returns the owner, or undefined for an owner file that is missing or invalid, because a command may change the file. */
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

  /** Kills the recorded process groups and removes everything but the owner file, by which the command still exists. */
  async removeContent(): Promise<void> {
    killRecordedGroups(this.path);
    for (const name of await readdir(this.path).catch(() => []))
      if (name !== ownerFile) await removeIfPermitted(path.join(this.path, name));
  }
}

/** Removes a file or directory. Leaves files of another user, which a container may have written. */
async function removeIfPermitted(file: string): Promise<void> {
  await rm(file, { recursive: true, force: true }).catch(() => {});
}

/** Ends and removes the commands of servers that were killed. */
export async function removeOrphans(
  root: string,
  removeContainer: (executionId: string) => Promise<void>,
): Promise<void> {
  for (const executionId of await readdir(root)) {
    const directory = new CommandDirectory(root, executionId);
    if (!(await directory.isOrphaned())) continue;
    await removeContainer(executionId);
    await directory.remove();
  }
}
