import { createHash } from 'node:crypto';

/**
 * Writes JSON with the keys of every object sorted: payloads equal as JSON give the same text, for example
 * `{ b: 1, a: [2] }` → `{"a":[2],"b":1}`. Drops undefined fields, and writes undefined in an array as null.
 */
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

/** Returns the cache key of a job: SHA-256, in hex, of the type and the payload with defaults filled in. */
export function jobHash(type: string, payload: unknown): string {
  const text = `${type}\n${canonicalJson(payload)}`;
  return createHash('sha256').update(text).digest('hex');
}
