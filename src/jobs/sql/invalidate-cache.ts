import type { Database } from '../../database/database.js';

// A report in progress has a result that is not visible yet, so the job's own flag is set too, in either status.
const invalidateCacheSql = `
WITH started AS (
  UPDATE "Job" SET cache_valid = false WHERE type = $1 AND status IN ('IN_PROGRESS', 'SUCCEEDED') AND cache_valid
), results AS (
  UPDATE "JobResult" r SET cache_valid = false FROM "JobAssignment" a JOIN "Job" j ON j.id = a.job_id
  WHERE r.assignment_id = a.id AND j.type = $1 AND r.cache_valid RETURNING r.id
)
SELECT count(*)::int AS invalidated FROM results`;

/**
 * Invalidates the results of a type, and the future results of running jobs, because running jobs read the old data.
 * Returns the number of invalidated results.
 *
 * Guarantee 5, equal requests share one job: a trigger copies `JobResult.cache_valid` to "Job", where the unique index of
 * equal jobs leaves invalidated jobs out.
 */
export async function invalidateResults(database: Database, type: string): Promise<number> {
  const [row] = await database.rows<{ invalidated: number }>('jobs-invalidate', invalidateCacheSql, [type]);
  return row?.invalidated ?? 0;
}
