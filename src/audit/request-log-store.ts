import type { ServerLogLine } from '../contract/health.js';
import type { Database } from '../database/database.js';
import { isRefusedInput } from '../database/errors.js';
import type { RequestLogLine } from './request-log.js';

const insertSql = `
INSERT INTO "ServerLog" (time, request_id, level, message, fields)
SELECT to_timestamp(time / 1000.0), request_id, level, message, fields::jsonb
FROM unnest($1::float8[], $2::text[], $3::text[], $4::text[], $5::text[])
  AS line (time, request_id, level, message, fields)`;

/** Stores log lines of requests. Leaves out lines refused by Postgres, and stores the rest. */
export async function storeRequestLog(database: Database, lines: readonly RequestLogLine[]): Promise<void> {
  try {
    await database.rows('server-log-store', insertSql, [
      lines.map(({ time }) => time),
      lines.map(({ requestId }) => requestId),
      lines.map(({ level }) => level),
      lines.map(({ message }) => toStorable(message)),
      lines.map(({ fields }) => JSON.stringify(toStorable(fields))),
    ]);
  } catch (error) {
    if (!isRefusedInput(error)) throw error;
    if (lines.length > 1) for (const line of lines) await storeRequestLog(database, [line]);
  }
}

const findSql = `
SELECT (extract(epoch FROM time) * 1000)::float8 AS timestamp, level, message, fields FROM "ServerLog"
WHERE request_id = $1 ORDER BY time, id LIMIT 1000`;

/** Returns the first 1,000 log lines of a request, in order of time. */
export function findRequestLog(database: Database, requestId: string): Promise<ServerLogLine[]> {
  return database.rows<ServerLogLine>('server-log-find', findSql, [requestId]);
}

/** Removes log lines after seven days. */
export async function removeOldRequestLog(database: Database): Promise<void> {
  await database.rows('server-log-old', `DELETE FROM "ServerLog" WHERE time < now() - interval '7 days'`, []);
}

/** Replaces by U+FFFD what neither text nor jsonb can store: NUL and unpaired surrogates. */
function toStorable<T>(value: T): T;
function toStorable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD');
  if (Array.isArray(value)) return value.map(toStorable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [toStorable(name), toStorable(inner)]));
}
