import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { sqlState } from './errors.js';
import { PrismaClient } from './generated/client.js';

export interface Database {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** Runs a named (hence prepared once a connection) statement. */
  rows<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]>;
  /** Runs `work` in one transaction: committed when it returns, rolled back when it throws. Runs it again after a deadlock. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** Opens the connections that are kept, so that the first requests need not wait for them. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

const timestamptz = 1184;

/** `2026-03-01 04:05:06.7+00` as Postgres writes it -> `2026-03-01T04:05:06.700Z`. The session's time zone is UTC. */
export function isoTime(text: string): string {
  const fraction = text.slice(19, -3);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction === '' ? '.000' : fraction.padEnd(4, '0')}Z`;
}

const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === timestamptz && format !== 'binary') return isoTime;
    return pg.types.getTypeParser(oid, format);
  },
};

const maxDeadlocks = 5;

/** Of two transactions that wait for each other Postgres ends one: it was rolled back whole, so it is run again. */
async function againAfterDeadlock<T>(run: () => Promise<T>): Promise<T> {
  for (let deadlocks = 1; ; deadlocks += 1) {
    try {
      return await run();
    } catch (error) {
      if (sqlState(error) !== '40P01' || deadlocks === maxDeadlocks) throw error;
    }
  }
}

/**
 * Opens a pool that SQL and Prisma share. Connects lazily: the first statement reports a database that is away. Once there,
 * `keepOpen` connections stay while they are idle.
 */
export function openDatabase(options: {
  url: string;
  poolSize: number;
  keepOpen?: number;
  onIdleError?: (error: Error) => void;
}): Database {
  const kept = Math.min(options.keepOpen ?? 0, options.poolSize);
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    min: kept,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'reefguide',
    options: '-c TimeZone=UTC -c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000',
    types,
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  // A connection lost in the hands of a transaction fails its statement; without a listener it would end the process, too.
  pool.on('connect', (client) => client.on('error', () => {}));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    url: options.url,
    pool,
    prisma,
    async rows<Row extends object>(name: string, text: string, values: unknown[]) {
      return againAfterDeadlock(async () => (await pool.query<Row>({ name, text, values })).rows);
    },
    transaction: (work) => againAfterDeadlock(() => inTransaction(pool, work)),
    async warm() {
      await Promise.all(Array.from({ length: kept }, () => pool.query('SELECT 1')));
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
