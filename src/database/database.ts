import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { sqlState } from './errors.js';
import { PrismaClient } from './generated/client.js';

export interface Database {
  readonly url: string;
  /** Shared by SQL and Prisma. */
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** Runs a statement, which each connection prepares once under `name`. Retries after a deadlock. */
  rows<Row extends object>(name: string, sql: string, values: unknown[]): Promise<Row[]>;
  /** Commits when `work` returns, and rolls back when `work` throws. Retries after a deadlock. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** Opens `minPoolSize` connections, because the first requests should not wait. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

/** Converts a time of a session in UTC, e.g. `2026-03-01 04:05:06.7+00` → `2026-03-01T04:05:06.700Z`. */
export function toIsoTime(text: string): string {
  const fraction = text.slice(19, -3);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction === '' ? '.000' : fraction.padEnd(4, '0')}Z`;
}

const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === pg.types.builtins.TIMESTAMPTZ && format !== 'binary') return toIsoTime;
    return pg.types.getTypeParser(oid, format);
  },
};

const maxAttempts = 5;

/** Repeats `run` after a deadlock, because Postgres rolled back the whole transaction. */
async function retryAfterDeadlock<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (sqlState(error) !== '40P01' || attempt === maxAttempts) throw error;
    }
  }
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  /** Connections that stay open while idle; 0 by default. */
  minPoolSize?: number;
  onIdleError?: (error: Error) => void;
}

/** Creates a pool for SQL and Prisma. Connects at the first statement, which throws when the database is away. */
export function openDatabase({ url, poolSize, minPoolSize = 0, onIdleError }: DatabaseOptions): Database {
  const min = Math.min(minPoolSize, poolSize);
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    min,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'reefguide',
    options: '-c TimeZone=UTC -c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000',
    types,
  });
  pool.on('error', (error) => onIdleError?.(error));
  // A lost connection fails the statement in progress; without a listener the loss would end the process as well.
  pool.on('connect', (client) => client.on('error', () => {}));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    url,
    pool,
    prisma,
    rows: <Row extends object>(name: string, sql: string, values: unknown[]) =>
      retryAfterDeadlock(async () => (await pool.query<Row>({ name, text: sql, values })).rows),
    transaction: (work) => retryAfterDeadlock(() => runInTransaction(pool, work)),
    async warm() {
      await Promise.all(Array.from({ length: min }, () => pool.query('SELECT 1')));
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

async function runInTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let rollbackError: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      rollbackError = failure;
    });
    throw error;
  } finally {
    // The pool drops the connection when the rollback failed.
    client.release(rollbackError);
  }
}
