import type { Database } from '../database/database.js';
import { loseOverdue, type MovedJob } from './sql/requeue.js';

/** A number that nothing else in the database uses. */
const sweepLock = 7_270_736_902;

/**
 * One turn of the sweeper: returns lost jobs to the queue or ends them, and takes out what has expired. Runs in every API
 * process and works in one at a time: who does not get the lock leaves it to the one that has it. Returns undefined then.
 */
export async function sweep(database: Database, heartbeatTimeoutSeconds: number): Promise<MovedJob[] | undefined> {
  const client = await database.pool.connect();
  let broken: Error | undefined;
  try {
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [sweepLock]);
    if (!rows[0]?.held) return undefined;
    try {
      const moved = await loseOverdue(database, heartbeatTimeoutSeconds);
      await removeExpired(database);
      return moved;
    } finally {
      await client.query('SELECT pg_advisory_unlock($1)', [sweepLock]);
    }
  } catch (error) {
    // The lock lives with the connection: dropping it frees the lock.
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function removeExpired(database: Database): Promise<void> {
  await database.rows(
    'sweep-tokens',
    'DELETE FROM "RefreshToken" WHERE expiry_time < extract(epoch FROM now())::int',
    [],
  );
  await database.rows('sweep-snapshots', `DELETE FROM "CapacitySnapshot" WHERE at < now() - interval '7 days'`, []);
  await database.rows('sweep-limits', 'DELETE FROM "RateLimit" WHERE expire < extract(epoch FROM now()) * 1000', []);
}
