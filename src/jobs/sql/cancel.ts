import { notFound, ServiceError } from '../../contract/errors.js';
import type { JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { jobColumns } from './columns.js';

const text = `
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
 * Cancels a job that waits or runs. Its worker learns it at the next heartbeat, and its late result is refused, because
 * its assignment is closed here. A claim or a report at the same instant is either seen whole or not at all: when the job
 * moved in between, the statement matches nothing and is tried again.
 */
export async function cancelJob(database: Database, jobId: number): Promise<JobBody> {
  for (;;) {
    const [cancelled] = await database.rows<JobBody>('jobs-cancel', text, [jobId]);
    if (cancelled) return cancelled;
    const [job] = await database.rows<Pick<JobBody, 'status'>>(
      'jobs-status',
      'SELECT status FROM "Job" WHERE id = $1',
      [jobId],
    );
    if (!job) throw notFound(`Job ${jobId}`);
    if (job.status !== 'PENDING' && job.status !== 'IN_PROGRESS') {
      throw new ServiceError('invalid', `Job ${jobId} has ended already: it is ${job.status}`);
    }
  }
}
