import { notFound, ServiceError } from '../../contract/errors.js';
import type { Progress } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

export interface HeartbeatAnswer {
  jobId: number;
  cancelRequested: boolean;
  expiresAt: string;
}

const text = `
WITH beat AS (
  UPDATE "JobAssignment" SET heartbeat_at = now(), updated_at = now()
  WHERE id = $1 AND completed_at IS NULL RETURNING job_id, expires_at
), told AS (
  UPDATE "Job" j SET progress = $2::jsonb, updated_at = now() FROM beat
  WHERE j.id = beat.job_id AND j.status = 'IN_PROGRESS' AND $2::jsonb IS NOT NULL
)
SELECT a.job_id, a.expires_at, j.status, j.cancel_requested_at, EXISTS (SELECT FROM beat) AS live
FROM "JobAssignment" a JOIN "Job" j ON j.id = a.job_id WHERE a.id = $1`;

interface Row {
  job_id: number;
  expires_at: string;
  status: string;
  cancel_requested_at: string | null;
  live: boolean;
}

/**
 * Notes that the assignment's worker is alive, with its progress if given. The worker of a cancelled job is told so;
 * one whose job went to somebody else gets a conflict and stops. Times are the database's: a worker's clock is not asked.
 */
export async function recordHeartbeat(
  database: Database,
  assignmentId: number,
  progress: Progress | undefined,
): Promise<HeartbeatAnswer> {
  const [row] = await database.rows<Row>('jobs-heartbeat', text, [
    assignmentId,
    progress === undefined ? null : JSON.stringify(progress),
  ]);
  if (!row) throw notFound(`Assignment ${assignmentId}`);
  const cancelRequested = row.status === 'CANCELLED' || row.cancel_requested_at !== null;
  if (!row.live && !cancelRequested) {
    throw new ServiceError('conflict', `Assignment ${assignmentId} is no longer live: the job is ${row.status}`);
  }
  return { jobId: row.job_id, cancelRequested, expiresAt: row.expires_at };
}
