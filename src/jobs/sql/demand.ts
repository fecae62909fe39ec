import { createHash } from 'node:crypto';
import type { Demand } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

// The oldest job is the one with the lowest id, which the queue's index holds: its row is read, not every row's.
const text = `
WITH waiting AS (
  SELECT type, count(*)::int AS pending, min(id) AS oldest FROM "Job" WHERE status = 'PENDING' GROUP BY type
), running AS (
  SELECT j.type, count(*)::int AS in_progress
  FROM "JobAssignment" a JOIN "Job" j ON j.id = a.job_id WHERE a.completed_at IS NULL GROUP BY j.type
)
SELECT type, coalesce(pending, 0) AS pending, coalesce(in_progress, 0) AS "inProgress",
  greatest(0, coalesce(extract(epoch FROM now() - o.created_at), 0))::float8 AS "oldestPendingSeconds"
FROM waiting FULL JOIN running USING (type)
LEFT JOIN LATERAL (SELECT created_at FROM "Job" WHERE id = waiting.oldest) o ON true ORDER BY type`;

/**
 * Waiting and running jobs of each type that has some, and a version that differs exactly when the counts do: a digest of
 * them, so that every API process gives the same.
 */
export async function readDemand(database: Database): Promise<Demand> {
  const types = await database.rows<Demand['types'][number]>('jobs-demand', text, []);
  const counts = types.map(({ type, pending, inProgress }) => [type, pending, inProgress]);
  const version = createHash('sha256').update(JSON.stringify(counts)).digest('hex').slice(0, 16);
  return { version, types };
}
