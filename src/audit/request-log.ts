import type { ServerLogLine } from '../contract/health.js';
import type { Database } from '../database/database.js';
import { isRefusedInput } from '../database/errors.js';
import { toLevelName } from '../platform/log-levels.js';

export interface RequestLogLine {
  /** Milliseconds since 1970. */
  time: number;
  requestId: string;
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

type Store = (lines: readonly RequestLogLine[]) => Promise<void>;
const storeIntervalMs = 500;
/** Most waiting lines while the database is away; older lines are dropped. */
const maxWaitingLines = 5_000;
const maxBatchLines = 1_000;

/** Collects the log lines of requests, and stores them in batches once a store is attached. */
export class RequestLog {
  private waiting: string[] = [];
  private store: Store | undefined;
  private timer: NodeJS.Timeout | undefined;
  private storing: Promise<void> = Promise.resolve();

  /** Takes a line of JSON as pino writes lines. Ignores lines without a `requestId`. */
  write(line: string): void {
    if (!line.includes('"requestId":"')) return;
    this.waiting.push(line);
    if (this.waiting.length > maxWaitingLines) this.waiting.shift();
    if (this.store) this.timer ??= setTimeout(() => this.flush(), storeIntervalMs).unref();
  }

  /** Stores waiting and later lines with `store`. */
  attach(store: Store): void {
    this.store = store;
    void this.flush();
  }

  /** Resolves when all lines are stored, or an attempt has failed. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.storing = this.storing.then(() => this.storeAll());
    return this.storing;
  }

  /** Stores all lines, and ignores later lines. */
  async close(): Promise<void> {
    await this.flush();
    this.store = undefined;
  }

  private async storeAll(): Promise<void> {
    while (this.store && this.waiting.length > 0) {
      const lines = this.waiting.splice(0, maxBatchLines);
      try {
        await this.store(lines.flatMap((line) => parseLine(line) ?? []));
      } catch {
        // Keeps the lines for the next attempt, and logs nothing, because each log line would be another line to store.
        this.waiting = [...lines, ...this.waiting].slice(-maxWaitingLines);
        return;
      }
    }
  }
}

function parseLine(line: string): RequestLogLine | undefined {
  try {
    const { time: isoTime, level, msg, requestId, ...fields } = JSON.parse(line);
    const time = Date.parse(isoTime);
    if (typeof requestId !== 'string' || Number.isNaN(time)) return undefined;
    return { time, requestId, level: toLevelName(level), message: String(msg ?? ''), fields };
  } catch {
    return undefined;
  }
}

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

/** Returns the first 1,000 log lines of a request, in order of time. */
export function findRequestLog(database: Database, requestId: string): Promise<ServerLogLine[]> {
  const findSql = `
    SELECT (extract(epoch FROM time) * 1000)::float8 AS timestamp, level, message, fields FROM "ServerLog"
    WHERE request_id = $1 ORDER BY time, id LIMIT 1000`;
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
