import type { Database } from '../../database/database.js';

// Of a job whose report is being written the result is not seen yet: the job itself is, whichever state it is in by then.
const text = `
WITH started AS (
  UPDATE "Job" SET cache_valid = false WHERE type = $1 AND status IN ('IN_PROGRESS', 'SUCCEEDED') AND cache_valid
), results AS (
  UPDATE "JobResult" r SET cache_valid = false FROM "JobAssignment" a JOIN "Job" j ON j.id = a.job_id
  WHERE r.assignment_id = a.id AND j.type = $1 AND r.cache_valid RETURNING r.id
)
SELECT count(*)::int AS invalidated FROM results`;

/**
 * No result of the type answers a later request, nor do the jobs that run now, since they read the old data. Returns how
 * many results that were valid are no longer. A trigger carries it to "Job", where the uniqueness of equal jobs is held.
 */
export async function invalidateResults(database: Database, type: string): Promise<number> {
  const [row] = await database.rows<{ invalidated: number }>('jobs-invalidate', text, [type]);
  return row?.invalidated ?? 0;
}
