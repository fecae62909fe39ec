import { statfsSync } from 'node:fs';

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

/** What a new database takes. */
const DATABASE_BYTES = 48_000_000;

/** `message` says what went wrong and where, `hint` what to do about it. Neither needs a stack to be understood. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;
  readonly hint: string;

  constructor(code: EmbeddedPostgresErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

export const USE_ANOTHER_DATABASE = 'set DATABASE_URL to a Postgres that runs elsewhere';

/** The `code` of a Node.js system error or of a Postgres error, for example `ENOENT` or `3D000`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Postgres and initdb do not always get to say it: the log is on the same disk, and a signal says nothing. */
export function isDiskFull(output: string, folder: string): boolean {
  if (/No space left on device|Disk quota exceeded/.test(output)) return true;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < DATABASE_BYTES;
}

export function diskFull(where: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'disk_full',
    `No space is left on the disk of ${where}.`,
    'Free some space (a new database takes 48 MB), or set REEFGUIDE_HOME to a folder on another disk.',
    cause,
  );
}

/** Turns what the file system refused into one clear error. What is not a system error passes through unchanged. */
export function fromSystemError(error: unknown, home: string): unknown {
  if (error instanceof EmbeddedPostgresError || !(error instanceof Error)) return error;
  const code = errorCode(error);
  const where = 'path' in error && typeof error.path === 'string' ? error.path : home;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(where, error);
  if (code !== undefined && ['EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EISDIR'].includes(code)) {
    const why = code === 'EROFS' ? 'it is on a read-only file system' : `the system answers ${code}`;
    return new EmbeddedPostgresError(
      'home_unwritable',
      `Cannot keep a database in ${home}: ${where} cannot be used (${why}).`,
      `Set REEFGUIDE_HOME to a folder that you can write to, or ${USE_ANOTHER_DATABASE}.`,
      error,
    );
  }
  if ('syscall' in error) {
    return new EmbeddedPostgresError(
      'start_failed',
      `Cannot run the embedded Postgres of ${home}: ${error.message}.`,
      `Put that right and try again, or ${USE_ANOTHER_DATABASE}.`,
      error,
    );
  }
  return error;
}
