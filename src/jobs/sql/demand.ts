import { createHash } from 'node:crypto';
import type { Demand, JobStatus } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

// The oldest job has the lowest id. The index of the queue has the ids, so a single row of a type is read rather than all.
const readDemandSql = `
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

/** Counts waiting and running jobs by type. The version is a digest of the counts, equal in every API process. */
export async function readDemand(database: Database): Promise<Demand> {
  const types = await database.rows<Demand['types'][number]>('jobs-demand', readDemandSql, []);
  const counts = types.map(({ type, pending, inProgress }) => [type, pending, inProgress]);
  const version = createHash('sha256').update(JSON.stringify(counts)).digest('hex').slice(0, 16);
  return { version, types };
}

const countJobsSql = 'SELECT type, status, count(*)::int AS count FROM "Job" GROUP BY type, status';

/** Counts jobs by type and status for the metrics. Reads the whole table, so call rarely. */
export const countJobs = (database: Database) =>
  database.rows<{ type: string; status: JobStatus; count: number }>('jobs-count', countJobsSql, []);
