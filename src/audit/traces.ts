import type { ServerLogLine, Trace } from '../contract/health.js';
import type { Database } from '../database/database.js';
import { isRefusedInput } from '../database/errors.js';
import type { TrailLine } from './request-log.js';

/** Where our own log lines are found by request. */
export interface ServerLogs {
  find(requestId: string): Promise<ServerLogLine[]>;
}

/** Without what neither text nor jsonb holds: NUL, and halves of characters. */
function storable<T>(value: T): T;
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD');
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storable(name), storable(inner)]));
}

/** Our own log lines in Postgres, for seven days. */
export function createServerLogs(database: Database) {
  const insert = (lines: readonly TrailLine[]) =>
    database.rows(
      'server-log-store',
      `INSERT INTO "ServerLog" (time, request_id, level, message, fields)
         SELECT to_timestamp(time / 1000.0), request_id, level, message, fields::jsonb
         FROM unnest($1::float8[], $2::text[], $3::text[], $4::text[], $5::text[])
           AS line (time, request_id, level, message, fields)`,
      [
        lines.map(({ time }) => time),
        lines.map(({ requestId }) => requestId),
        lines.map(({ level }) => level),
        lines.map(({ message }) => storable(message)),
        lines.map(({ fields }) => JSON.stringify(storable(fields))),
      ],
    );
  /** A line that cannot be stored is left out, and keeps no other from it. */
  const store = async (lines: readonly TrailLine[]): Promise<void> => {
    try {
      await insert(lines);
    } catch (error) {
      if (!isRefusedInput(error)) throw error;
      if (lines.length > 1) for (const line of lines) await store([line]);
    }
  };

  return {
    store,
    find: (requestId: string) =>
      database.rows<ServerLogLine>(
        'server-log-find',
        `SELECT (extract(epoch FROM time) * 1000)::float8 AS timestamp, level, message, fields FROM "ServerLog"
         WHERE request_id = $1 ORDER BY time, id LIMIT 1000`,
        [requestId],
      ),
    async removeOld(): Promise<void> {
      await database.rows('server-log-old', `DELETE FROM "ServerLog" WHERE time < now() - interval '7 days'`, []);
    },
  };
}

type Resources = Trace['related_resources'];

/** Finds the resources that a request created or changed. */
export interface ResourcesOfRequest<Kind extends keyof Resources> {
  ofRequest(requestId: string): Promise<Resources[Kind]>;
}

export interface TraceDependencies {
  serverLogs: ServerLogs;
  records: ResourcesOfRequest<'executions'>;
  images: ResourcesOfRequest<'images'>;
  secrets: ResourcesOfRequest<'secrets'>;
}

/** Collects the log lines and the resources of one request. */
export function createTraces(deps: TraceDependencies) {
  return async (requestId: string): Promise<Trace> => {
    const [logs, executions, images, secrets] = await Promise.all([
      deps.serverLogs.find(requestId),
      deps.records.ofRequest(requestId),
      deps.images.ofRequest(requestId),
      deps.secrets.ofRequest(requestId),
    ]);
    return { request_id: requestId, logs, related_resources: { executions, images, secrets } };
  };
}
export type Traces = ReturnType<typeof createTraces>;
