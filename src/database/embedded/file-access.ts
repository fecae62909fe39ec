import { realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Binaries } from './binaries.js';

interface User {
  uid: number;
  gid: number;
}

/** User to run Postgres as; undefined for the user of the process. */
export type RunAs = User | undefined;

/** Runs Postgres for root, whom Postgres refuses. On macOS `daemon` does, because the id of nobody is negative. */
export const nobody: User = process.platform === 'darwin' ? { uid: 1, gid: 1 } : { uid: 65534, gid: 65534 };

const read = 0o4;
const enter = 0o1;

function allows(path: string, user: User, wanted: number): boolean {
  try {
    const { uid, gid, mode } = statSync(path);
    const granted = uid === user.uid ? mode >> 6 : gid === user.gid ? mode >> 3 : mode;
    return (granted & wanted) === wanted;
  } catch {
    return false;
  }
}

/** Returns whether the user can enter a directory and each directory above. */
export function canEnter(directory: string, user: User): boolean {
  for (let path = realpathSync(directory); ; path = dirname(path)) {
    if (!allows(path, user, enter)) return false;
    if (path === dirname(path)) return true;
  }
}

/** Returns whether the user can run Postgres and read the files of Postgres. */
export function canRun({ directory }: Binaries, user: User): boolean {
  return (
    canEnter(join(directory, 'bin'), user) &&
    allows(join(directory, 'bin', 'postgres'), user, read | enter) &&
    allows(join(directory, 'lib'), user, read | enter) &&
    allows(join(directory, 'share', 'postgresql', 'postgres.bki'), user, read)
  );
}
