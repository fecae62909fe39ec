import { SetupError, toMessage } from '../contract/errors.js';

/** Returns the `code` of a system error or of a Postgres error, for example `ENOENT` or `3D000`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Returns a handler that ignores the system errors with these codes, for example `ignore('ENOENT')`. */
export const ignore =
  (...codes: string[]) =>
  (error: unknown): undefined => {
    if (!codes.includes(errorCode(error) ?? '')) throw error;
  };

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a part of the path is a file',
};

/** Returns the error for a failed write, for example `Cannot write .reefguide/dev.json: the disk is full`. */
export function toWriteError(file: string, cause: unknown): SetupError {
  const code = errorCode(cause) ?? '';
  return new SetupError(`Cannot write ${file}: ${reasons[code] ?? toMessage(cause)}`, {
    hint: 'Make it writable, free some space, or choose another path.',
    cause,
  });
}

/** Runs `write`, which creates or changes `file`, and throws a SetupError with the reason when `write` fails. */
export async function explainWriteErrors<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw cause instanceof SetupError ? cause : toWriteError(file, cause);
  }
}
