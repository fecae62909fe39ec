import { ServiceError } from '../contract/errors.js';

const refused = (path: string, why: string) =>
  new ServiceError('invalid', 'Invalid file path', { issues: [{ path: path.slice(0, 200), message: why }] });

/**
 * The parts of a relative path that stays where it is put: no absolute path, no `.` or `..`, no empty part, no
 * backslash, no control character, at most 1,024 bytes and 255 a part.
 */
export function safeParts(path: string): string[] {
  const parts = path.split('/');
  if (path === '' || Buffer.byteLength(path) > 1024) throw refused(path, 'expected 1 to 1,024 bytes');
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..') throw refused(path, 'expected a relative path without . and ..');
    if (/[\\\p{Cc}]/u.test(part)) throw refused(path, 'holds a backslash or a control character');
    if (Buffer.byteLength(part) > 255) throw refused(path, 'a part is longer than 255 bytes');
  }
  return parts;
}
