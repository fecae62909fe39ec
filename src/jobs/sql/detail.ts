import { notFound } from '../../contract/errors.js';
import type { AssignmentBody, JobBody, JobDetail, JobEvent, JobResultBody, JobStatus } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { assignmentColumns, jobColumns } from './columns.js';

const readJobSql = `SELECT ${jobColumns('j')} FROM "Job" j WHERE j.id = $1`;
const readJobStatusSql = 'SELECT status FROM "Job" WHERE id = $1';
const hasRequestedSql = 'SELECT 1 FROM "JobRequest" WHERE job_id = $1 AND user_id = $2 LIMIT 1';
const readAssignmentsSql = `
SELECT ${assignmentColumns('a')} FROM "JobAssignment" a WHERE a.job_id = $1 ORDER BY a.id`;
const readResultsSql = `
SELECT r.* FROM "JobAssignment" a JOIN "JobResult" r ON r.assignment_id = a.id WHERE a.job_id = $1`;
const readSuccessSql = `
SELECT r.* FROM "JobAssignment" a JOIN "JobResult" r ON r.assignment_id = a.id JOIN "Job" j ON j.id = a.job_id
WHERE a.job_id = $1 AND j.status = 'SUCCEEDED' ORDER BY a.id DESC LIMIT 1`;
const readQueuePositionSql = `
SELECT count(*)::int AS ahead FROM (
  SELECT 1 FROM "Job" WHERE status = 'PENDING' AND type = $1 AND (priority > $2 OR (priority = $2 AND id < $3)) LIMIT 1000
) ahead`;

export async function readJob(database: Database, jobId: number): Promise<JobBody | undefined> {
  const [job] = await database.rows<JobBody>('jobs-read', readJobSql, [jobId]);
  return job;
}

/** Returns the status of the job. Throws `not_found` for an unknown job. */
export async function readJobStatus(database: Database, jobId: number): Promise<JobStatus> {
  const [job] = await database.rows<Pick<JobBody, 'status'>>('jobs-status', readJobStatusSql, [jobId]);
  if (!job) throw notFound(`Job ${jobId}`);
  return job.status;
}

export async function hasRequested(database: Database, jobId: number, userId: number): Promise<boolean> {
  return (await database.rows('jobs-requested', hasRequestedSql, [jobId, userId])).length > 0;
}

/** Adds the job's attempts and results, oldest first. */
export async function readJobDetail(database: Database, job: JobBody): Promise<JobDetail> {
  const [assignments, results, queue_position] = await Promise.all([
    database.rows<AssignmentBody>('jobs-assignments', readAssignmentsSql, [job.id]),
    database.rows<JobResultBody>('jobs-results', readResultsSql, [job.id]),
    readQueuePosition(database, job),
  ]);
  return {
    ...job,
    queue_position,
    assignments: assignments.map((assignment) => ({
      ...assignment,
      result: results.find(({ assignment_id }) => assignment_id === assignment.id) ?? null,
    })),
  };
}

/** Counts the waiting jobs of the same type ahead of the job, up to 1,000. Returns null for a started job. */
async function readQueuePosition(database: Database, job: JobBody): Promise<number | null> {
  if (job.status !== 'PENDING') return null;
  const values = [job.type, job.priority, job.id];
  const [row] = await database.rows<{ ahead: number }>('jobs-position', readQueuePositionSql, values);
  return row?.ahead ?? 0;
}

export async function readJobEvent(database: Database, jobId: number): Promise<JobEvent | undefined> {
  const job = await readJob(database, jobId);
  if (!job) return undefined;
  const { id, type, status, progress, attempts } = job;
  return { id, type, status, progress, attempts, queuePosition: await readQueuePosition(database, job) };
}

/** Returns the result of the successful attempt, or undefined without a successful attempt. */
export async function readSuccess(database: Database, jobId: number): Promise<JobResultBody | undefined> {
  const [result] = await database.rows<JobResultBody>('jobs-success', readSuccessSql, [jobId]);
  return result;
}
