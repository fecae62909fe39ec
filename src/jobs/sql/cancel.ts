import { ServiceError } from '../../contract/errors.js';
import { hasEnded, type JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { jobColumns } from './columns.js';
import { readJobStatus } from './detail.js';

const cancelJobSql = `
WITH live AS MATERIALIZED (
  SELECT id FROM "JobAssignment" WHERE job_id = $1 AND completed_at IS NULL FOR UPDATE
), seen AS MATERIALIZED (SELECT count(*) AS live FROM live), cancelled AS (
  UPDATE "Job" j SET status = 'CANCELLED', cancel_requested_at = now(), updated_at = now() FROM seen
  WHERE j.id = $1 AND ((j.status = 'PENDING' AND seen.live = 0) OR (j.status = 'IN_PROGRESS' AND seen.live = 1))
  RETURNING ${jobColumns('j')}
), closed AS (
  UPDATE "JobAssignment" SET completed_at = now(), updated_at = now()
  WHERE id IN (SELECT id FROM live) AND EXISTS (SELECT FROM cancelled)
)
SELECT * FROM cancelled`;

/**
 * Cancels a waiting or running job. The worker learns of the cancellation from the next heartbeat.
 *
 * Guarantees 3 and 4, terminal statuses and live assignments: the same statement closes the assignment, so a late result is
 * refused. When a claim or a report moves the job between the statement's two reads, the statement matches nothing and runs
 * again.
 */
export async function cancelJob(database: Database, jobId: number): Promise<JobBody> {
  for (;;) {
    const [cancelled] = await database.rows<JobBody>('jobs-cancel', cancelJobSql, [jobId]);
    if (cancelled) return cancelled;
    const status = await readJobStatus(database, jobId);
    if (hasEnded(status)) throw new ServiceError('invalid', `Job ${jobId} has already ended: it is ${status}`);
  }
}
