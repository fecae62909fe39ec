import type { JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

/** A job without its worker: PENDING again, or ended. */
export type RequeuedJob = Pick<JobBody, 'id' | 'type' | 'status'>;

/**
 * Returns SQL to close live assignments and requeue the jobs while attempts remain; jobs without a remaining attempt end as
 * `endStatus`. `condition` selects rows of "JobAssignment" a. $1 is the reason, stored with the attempt.
 *
 * Guarantees 1, 3, 4 and 8, one live assignment, terminal statuses, live reports and no lost job: the statement locks the
 * assignment before the job, as reports do, so either the report or the requeue ends the attempt, never both.
 */
const requeueSql = (
  condition: string,
  endStatus: 'TIMED_OUT' | 'FAILED',
  lock: 'FOR UPDATE' | 'FOR UPDATE SKIP LOCKED' = 'FOR UPDATE SKIP LOCKED',
) => `
WITH lost AS MATERIALIZED (
  SELECT a.id, a.job_id, a.storage_scheme, a.storage_uri FROM "JobAssignment" a
  WHERE a.completed_at IS NULL AND (${condition}) ORDER BY a.id LIMIT 1000 ${lock}
), requeued AS (
  UPDATE "Job" j SET updated_at = now(), progress = NULL,
    status = CASE WHEN j.attempts < j.max_attempts THEN 'PENDING'::"JobStatus" ELSE '${endStatus}' END
  FROM lost WHERE j.id = lost.job_id AND j.status = 'IN_PROGRESS' RETURNING j.id, j.type, j.status
), closed AS (
  UPDATE "JobAssignment" a SET completed_at = now(), updated_at = now() FROM lost WHERE a.id = lost.id
), recorded AS (
  INSERT INTO "JobResult" (job_id, assignment_id, storage_scheme, storage_uri, cache_valid, metadata)
  SELECT job_id, id, storage_scheme, storage_uri, false, jsonb_build_object('reason', $1::text) FROM lost
)
SELECT id, type, status FROM requeued`;

const requeueExpiredSql = requeueSql('a.expires_at < now()', 'TIMED_OUT');
const requeueSilentSql = requeueSql('a.heartbeat_at < now() - make_interval(secs => $2::float8)', 'TIMED_OUT');
// Waits for the lock of a heartbeat rather than skip the row, because the event of a stopped task arrives once.
const requeueStoppedSql = requeueSql('a.ecs_task_arn = $2', 'FAILED', 'FOR UPDATE');

/** Requeues or ends jobs with an expired assignment, or with no heartbeat for `timeoutSeconds`. */
export async function requeueOverdue(database: Database, timeoutSeconds: number): Promise<RequeuedJob[]> {
  const expiry = 'the assignment expired';
  const expired = await database.rows<RequeuedJob>('jobs-requeue-expired', requeueExpiredSql, [expiry]);
  const silence = `the worker sent no heartbeat for ${timeoutSeconds} s`;
  const values = [silence, timeoutSeconds];
  const silent = await database.rows<RequeuedJob>('jobs-requeue-silent', requeueSilentSql, values);
  return [...expired, ...silent];
}

const maxReasonLength = 2000;

export const requeueStoppedTask = (database: Database, taskArn: string, reason: string): Promise<RequeuedJob[]> =>
  database.rows<RequeuedJob>('jobs-requeue-stopped', requeueStoppedSql, [reason.slice(0, maxReasonLength), taskArn]);

const releaseAssignmentsSql = `
WITH live AS MATERIALIZED (
  SELECT id, job_id FROM "JobAssignment" WHERE id = ANY($1::int[]) AND completed_at IS NULL ORDER BY id FOR UPDATE
), requeued AS (
  UPDATE "Job" j SET status = 'PENDING', attempts = greatest(j.attempts - 1, 0), updated_at = now(), progress = NULL
  FROM live WHERE j.id = live.job_id AND j.status = 'IN_PROGRESS' RETURNING j.id, j.type, j.status
), closed AS (
  UPDATE "JobAssignment" a SET completed_at = now(), updated_at = now() FROM live WHERE a.id = live.id
)
SELECT id, type, status FROM requeued`;

/** Requeues the jobs of live assignments. Guarantee 8: no attempt is used up, because the job is not at fault. */
export const releaseAssignments = (database: Database, assignmentIds: readonly number[]): Promise<RequeuedJob[]> =>
  database.rows<RequeuedJob>('jobs-release', releaseAssignmentsSql, [assignmentIds]);
