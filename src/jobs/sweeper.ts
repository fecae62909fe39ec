import type { Database } from '../database/database.js';
import type { JobDependencies } from './dependencies.js';
import { publishRequeued } from './requeue.js';
import { type RequeuedJob, requeueOverdue } from './sql/requeue.js';

/** Key of the sweepers' advisory lock, unique in the database. */
const sweepLock = 7_270_736_902;

const removeExpiredSql = {
  'sweep-tokens': 'DELETE FROM "RefreshToken" WHERE expiry_time < extract(epoch FROM now())::int',
  'sweep-snapshots': `DELETE FROM "CapacitySnapshot" WHERE at < now() - interval '7 days'`,
  'sweep-limits': 'DELETE FROM "RateLimit" WHERE expire < extract(epoch FROM now()) * 1000',
};

/** Requeues or ends overdue jobs, and removes expired rows; undefined while another process has the lock and sweeps. */
export async function sweep(database: Database, heartbeatTimeoutSeconds: number): Promise<RequeuedJob[] | undefined> {
  const client = await database.pool.connect();
  let broken: Error | undefined;
  try {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [sweepLock]);
    if (!rows[0]?.locked) return undefined;
    try {
      const requeued = await requeueOverdue(database, heartbeatTimeoutSeconds);
      for (const [name, sql] of Object.entries(removeExpiredSql)) await database.rows(name, sql, []);
      return requeued;
    } finally {
      await client.query('SELECT pg_advisory_unlock($1)', [sweepLock]);
    }
  } catch (error) {
    // Drops the connection, because the lock ends with the connection.
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
  }
}

export async function sweepJobs(deps: JobDependencies, heartbeatTimeoutSeconds: number): Promise<void> {
  publishRequeued(deps, (await sweep(deps.database, heartbeatTimeoutSeconds)) ?? []);
}
