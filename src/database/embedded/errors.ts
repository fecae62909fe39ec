import { statfsSync } from 'node:fs';
import { errorCode } from '../../platform/system-errors.js';

export type EmbeddedPostgresErrorCode =
  | 'unsupported_platform'
  | 'binaries_unusable'
  | 'home_unwritable'
  | 'disk_full'
  | 'data_unreadable'
  | 'data_damaged'
  | 'data_version'
  | 'password_mismatch'
  | 'start_failed'
  | 'start_timeout'
  | 'stop_failed'
  | 'lock_timeout';

/** `message` says what failed and where, and `hint` what to do. A reader needs no stack trace. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';

  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    readonly hint: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** Ends a hint, for example `Run as another user than root, or set DATABASE_URL …`. */
export const useAnotherDatabase = 'set DATABASE_URL to a Postgres that runs elsewhere';

/** Returns whether the disk of `directory` is full. Checks the free space, too, because the disk also has the log. */
export function isDiskFull(output: string, directory: string): boolean {
  if (/No space left on device|Disk quota exceeded/.test(output)) return true;
  const { bavail, bsize } = statfsSync(directory);
  // A new database takes 48 MB.
  return bavail * bsize < 48_000_000;
}

export function toDiskFullError(path: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'disk_full',
    `The disk of ${path} is full`,
    'Free some space (a new database takes 48 MB), or set REEFGUIDE_HOME to a directory on another disk.',
    cause,
  );
}

/** Turns an error of the file system or a spawned program into an EmbeddedPostgresError. Returns other errors as given. */
export function fromSystemError(error: unknown, home: string): unknown {
  if (error instanceof EmbeddedPostgresError || !(error instanceof Error)) return error;
  const code = errorCode(error);
  const path = 'path' in error && typeof error.path === 'string' ? error.path : home;
  if (code === 'ENOSPC' || code === 'EDQUOT') return toDiskFullError(path, error);
  if (code !== undefined && ['EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EISDIR'].includes(code)) {
    const reason = code === 'EROFS' ? 'the file system is read-only' : `the system answers ${code}`;
    return new EmbeddedPostgresError(
      'home_unwritable',
      `Cannot store a database in ${home}: ${path} cannot be used (${reason})`,
      `Set REEFGUIDE_HOME to a directory that you can write to, or ${useAnotherDatabase}.`,
      error,
    );
  }
  if ('syscall' in error) {
    return new EmbeddedPostgresError(
      'start_failed',
      `Cannot run the embedded Postgres of ${home}: ${error.message}`,
      `Fix the cause and try again, or ${useAnotherDatabase}.`,
      error,
    );
  }
  return error;
}
