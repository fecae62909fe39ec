import { createHash } from 'node:crypto';

/** JSON text with the keys of every object sorted, so that two payloads equal as JSON give the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** The cache hash of a job: SHA-256, in hex, over its type and its normalised payload. */
export function jobHash(type: string, payload: unknown): string {
  return createHash('sha256')
    .update(`${type}\n${canonicalJson(payload)}`)
    .digest('hex');
}
