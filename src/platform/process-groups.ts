import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { identify, isAlive, type ProcessIdentity, processIdentity } from './processes.js';

/** Sends a signal to a whole process group; does nothing when the group has ended. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // The group has ended.
  }
}

const recordPrefix = 'group-';

/**
 * Records a process group in a task's directory, for example in `group-4711`, because the group must be killed with the
 * task, even after a kill of the task itself. Returns a function to remove the record. Does nothing without a directory.
 */
export function recordGroup(directory: string | undefined, leader: number): () => void {
  const identity = directory === undefined ? undefined : identify(leader);
  if (directory === undefined || identity === undefined) return () => {};
  const file = path.join(directory, `${recordPrefix}${leader}`);
  writeFileSync(file, JSON.stringify(identity));
  return () => rmSync(file, { force: true });
}

/** Kills every recorded group whose leader is still the recorded process, and removes the records. */
export function killRecordedGroups(directory: string): void {
  for (const file of listRecords(directory)) {
    const identity = readRecord(file);
    if (identity && isAlive(identity)) signalGroup(identity.pid, 'SIGKILL');
    try {
      rmSync(file, { recursive: true, force: true });
    } catch {
      // A record of an ended group does no harm.
    }
  }
}

function listRecords(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.startsWith(recordPrefix));
    return names.map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

/** Returns undefined for an incomplete or foreign file, because commands may write into the directory. */
function readRecord(file: string): ProcessIdentity | undefined {
  try {
    return processIdentity.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
