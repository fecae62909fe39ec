import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { identify, isAlive, processIdentity } from './processes.js';

/** Sends a signal to a whole process group; a group that is gone is no error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // Gone already.
  }
}

const prefix = 'group-';

/**
 * Notes in a task's folder that it leads another process group, so that whoever ends the task can end that too, also when
 * the task itself was killed. Returns the way to forget it. Without a folder (no local task) nothing is noted.
 */
export function recordGroup(folder: string | undefined, leader: number): () => void {
  const identity = folder === undefined ? undefined : identify(leader);
  if (folder === undefined || identity === undefined) return () => {};
  const file = path.join(folder, `${prefix}${leader}`);
  writeFileSync(file, JSON.stringify(identity));
  return () => rmSync(file, { force: true });
}

/** undefined: a note that was not written whole, or none: whoever may write into the folder may put anything there. */
function readNote(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Kills every group noted in the folder whose leader still is the process that was noted. */
export function killRecordedGroups(folder: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  } catch {
    return;
  }
  for (const name of names) {
    const file = path.join(folder, name);
    const noted = processIdentity.safeParse(readNote(file));
    if (noted.success && isAlive(noted.data)) signalGroup(noted.data.pid, 'SIGKILL');
    try {
      rmSync(file, { recursive: true, force: true });
    } catch {
      // It stays: of a group that has gone it says nothing any more.
    }
  }
}
