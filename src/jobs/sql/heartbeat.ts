import { notFound, ServiceError } from '../../contract/errors.js';
import type { Progress } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

const recordHeartbeatSql = `
WITH heartbeat AS (
  UPDATE "JobAssignment" SET heartbeat_at = now(), updated_at = now()
  WHERE id = $1 AND completed_at IS NULL RETURNING job_id, expires_at
), progressed AS (
  UPDATE "Job" j SET progress = $2::jsonb, updated_at = now() FROM heartbeat
  WHERE j.id = heartbeat.job_id AND j.status = 'IN_PROGRESS' AND $2::jsonb IS NOT NULL
)
SELECT a.job_id, a.expires_at, j.status, j.cancel_requested_at, EXISTS (SELECT FROM heartbeat) AS live
FROM "JobAssignment" a JOIN "Job" j ON j.id = a.job_id WHERE a.id = $1`;

interface Row {
  job_id: number;
  expires_at: string;
  status: string;
  cancel_requested_at: string | null;
  live: boolean;
}

/**
 * Records that the assignment's worker is alive, and the progress if any. Times are the database's, because the clock
 * of a worker may be wrong.
 *
 * Guarantee 4, only the live assignment reports: the worker of a cancelled job gets `cancelRequested`, and the former worker
 * of a requeued job gets a `conflict` error and stops.
 */
export async function recordHeartbeat(database: Database, assignmentId: number, progress: Progress | undefined) {
  const json = progress === undefined ? null : JSON.stringify(progress);
  const [row] = await database.rows<Row>('jobs-heartbeat', recordHeartbeatSql, [assignmentId, json]);
  if (!row) throw notFound(`Assignment ${assignmentId}`);
  const cancelRequested = row.status === 'CANCELLED' || row.cancel_requested_at !== null;
  if (!row.live && !cancelRequested)
    throw new ServiceError('conflict', `Assignment ${assignmentId} is no longer live: the job is ${row.status}`);
  return { jobId: row.job_id, cancelRequested, expiresAt: row.expires_at };
}
