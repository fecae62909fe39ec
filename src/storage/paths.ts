import { ServiceError } from '../contract/errors.js';

const toInvalidPath = (path: string, message: string) =>
  new ServiceError('invalid', 'Invalid file path', { issues: [{ path: path.slice(0, 200), message }] });

/**
 * Splits a relative path into its parts: `maps/sites.svg` → `['maps', 'sites.svg']`. Throws `invalid` for an absolute path, `.` or
 * `..`, an empty part, a backslash, a control character, more than 1,024 bytes, or more than 255 bytes a part.
 */
export function safeParts(path: string): string[] {
  const parts = path.split('/');
  if (path === '' || Buffer.byteLength(path) > 1024) throw toInvalidPath(path, 'expected 1 to 1,024 bytes');
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..')
      throw toInvalidPath(path, 'expected a relative path without . and ..');
    if (/[\\\p{Cc}]/u.test(part)) throw toInvalidPath(path, 'expected no backslash and no control character');
    if (Buffer.byteLength(part) > 255) throw toInvalidPath(path, 'expected at most 255 bytes a part');
  }
  return parts;
}
