import type { JobStatus } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

export interface MovedJob {
  id: number;
  type: string;
  status: JobStatus;
}

/**
 * Closes live assignments whose worker will not report, and moves their jobs on: back to PENDING while attempts remain,
 * else to the given end. `which` selects rows of "JobAssignment" a; $1 is the reason kept with the attempt.
 *
 * Guarantees 1, 3 and 4: the assignment is locked first, as a report does, so exactly one of them ends it.
 */
const lose = (which: string, end: 'TIMED_OUT' | 'FAILED', lock: 'FOR UPDATE' | 'FOR UPDATE SKIP LOCKED') => `
WITH lost AS MATERIALIZED (
  SELECT a.id, a.job_id, a.storage_scheme, a.storage_uri FROM "JobAssignment" a
  WHERE a.completed_at IS NULL AND (${which}) ORDER BY a.id LIMIT 1000 ${lock}
), moved AS (
  UPDATE "Job" j SET updated_at = now(), progress = NULL,
    status = CASE WHEN j.attempts < j.max_attempts THEN 'PENDING'::"JobStatus" ELSE '${end}' END
  FROM lost WHERE j.id = lost.job_id AND j.status = 'IN_PROGRESS' RETURNING j.id, j.type, j.status
), closed AS (
  UPDATE "JobAssignment" a SET completed_at = now(), updated_at = now() FROM lost WHERE a.id = lost.id
), noted AS (
  INSERT INTO "JobResult" (job_id, assignment_id, storage_scheme, storage_uri, cache_valid, metadata)
  SELECT job_id, id, storage_scheme, storage_uri, false, jsonb_build_object('reason', $1::text) FROM lost
)
SELECT id, type, status FROM moved`;

const lapsed = 'a.heartbeat_at < now() - make_interval(secs => $2::float8)';
const expired = lose('a.expires_at < now()', 'TIMED_OUT', 'FOR UPDATE SKIP LOCKED');
const silent = lose(lapsed, 'TIMED_OUT', 'FOR UPDATE SKIP LOCKED');
// Its event comes once, so it waits for a heartbeat that is being written.
const stopped = lose('a.ecs_task_arn = $2', 'FAILED', 'FOR UPDATE');

/** Returns (or ends) the jobs whose assignment expired or whose worker sent no heartbeat for `timeoutSeconds`. */
export async function loseOverdue(database: Database, timeoutSeconds: number): Promise<MovedJob[]> {
  const late = await database.rows<MovedJob>('jobs-lose-expired', expired, ['the time allowed for an attempt ran out']);
  const quiet = await database.rows<MovedJob>('jobs-lose-silent', silent, [
    `the worker sent no heartbeat for ${timeoutSeconds} s`,
    timeoutSeconds,
  ]);
  return [...late, ...quiet];
}

/** Returns (or ends) the jobs that a task held when it stopped. */
export async function loseStoppedTask(database: Database, taskArn: string, reason: string): Promise<MovedJob[]> {
  return database.rows<MovedJob>('jobs-lose-stopped', stopped, [reason.slice(0, 2000), taskArn]);
}

const release = `
WITH live AS MATERIALIZED (
  SELECT id, job_id FROM "JobAssignment" WHERE id = ANY($1::int[]) AND completed_at IS NULL ORDER BY id FOR UPDATE
), moved AS (
  UPDATE "Job" j SET status = 'PENDING', attempts = greatest(j.attempts - 1, 0), updated_at = now(), progress = NULL
  FROM live WHERE j.id = live.job_id AND j.status = 'IN_PROGRESS' RETURNING j.id, j.type, j.status
), closed AS (
  UPDATE "JobAssignment" a SET completed_at = now(), updated_at = now() FROM live WHERE a.id = live.id
)
SELECT id, type, status FROM moved`;

/** Hands jobs back whose workers will not start or finish them through no fault of the job: no attempt is used up. */
export async function releaseAssignments(database: Database, assignmentIds: readonly number[]): Promise<MovedJob[]> {
  return database.rows<MovedJob>('jobs-release', release, [assignmentIds]);
}
