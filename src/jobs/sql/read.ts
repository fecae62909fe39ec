import type { AssignmentBody, JobBody, JobDetail, JobEvent, JobResultBody, JobStatus } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { assignmentColumns, jobColumns } from './columns.js';

/** `requestedBy` undefined: everybody's. */
export interface ListFilter {
  requestedBy?: number | undefined;
  status?: JobStatus | undefined;
  type?: string | undefined;
  limit: number;
  /** Only ids below it. */
  before?: number | undefined;
}

interface Page<T> {
  rows: T[];
  total: number;
  nextCursor: string | null;
}

async function page<T extends { id: number }>(
  database: Database,
  filter: ListFilter,
  table: { from: string; columns: string; conditions: [string, unknown][] },
): Promise<Page<T>> {
  const given = table.conditions.filter(([, value]) => value !== undefined);
  const where = given.map(([condition], n) => condition.replaceAll('?', `$${n + 1}`));
  const values = given.map(([, value]) => value);
  const all = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
  if (filter.before !== undefined) {
    values.push(filter.before);
    where.push(`t.id < $${values.length}`);
  }
  values.push(filter.limit + 1);
  const wherePage = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
  const [found, counted] = await Promise.all([
    database.pool.query<T>(
      `SELECT ${table.columns} FROM ${table.from} t ${wherePage} ORDER BY t.id DESC LIMIT $${values.length}`,
      values,
    ),
    database.pool.query<{ total: number }>(
      `SELECT count(*)::int AS total FROM ${table.from} t ${all}`,
      values.slice(0, given.length),
    ),
  ]);
  const rows = found.rows.slice(0, filter.limit);
  const last = rows.at(-1);
  return {
    rows,
    total: counted.rows[0]?.total ?? 0,
    nextCursor: found.rows.length > filter.limit && last ? String(last.id) : null,
  };
}

/** A page of jobs, newest first; `requestedBy` also finds jobs that the user's request joined. */
export const listJobs = (database: Database, filter: ListFilter) =>
  page<JobBody>(database, filter, {
    from: '"Job"',
    columns: jobColumns('t'),
    conditions: [
      ['t.id IN (SELECT job_id FROM "JobRequest" WHERE user_id = ?)', filter.requestedBy],
      ['t.status = ?', filter.status],
      ['t.type = ?', filter.type],
    ],
  });

export interface JobRequestRow {
  id: number;
  created_at: string;
  user_id: number;
  type: string;
  input_payload: unknown;
  cache_hash: string;
  job_id: number;
}

export const listRequests = (database: Database, filter: ListFilter) =>
  page<JobRequestRow>(database, filter, {
    from: '"JobRequest"',
    columns: 't.*',
    conditions: [
      ['t.user_id = ?', filter.requestedBy],
      ['t.type = ?', filter.type],
    ],
  });

/** Whether the user asked for the job, or joined it. */
export async function hasRequested(database: Database, jobId: number, userId: number): Promise<boolean> {
  const rows = await database.rows(
    'jobs-requested',
    'SELECT 1 FROM "JobRequest" WHERE job_id = $1 AND user_id = $2 LIMIT 1',
    [jobId, userId],
  );
  return rows.length > 0;
}

export async function readJob(database: Database, jobId: number): Promise<JobBody | undefined> {
  const [job] = await database.rows<JobBody>('jobs-read', `SELECT ${jobColumns('j')} FROM "Job" j WHERE j.id = $1`, [
    jobId,
  ]);
  return job;
}

/** The job with its attempts, oldest first, and what each left. */
export async function readJobDetail(database: Database, job: JobBody): Promise<JobDetail> {
  const [assignments, results, queuePosition] = await Promise.all([
    database.rows<AssignmentBody>(
      'jobs-assignments',
      `SELECT ${assignmentColumns('a')} FROM "JobAssignment" a WHERE a.job_id = $1 ORDER BY a.id`,
      [job.id],
    ),
    database.rows<JobResultBody>(
      'jobs-results',
      `SELECT r.* FROM "JobAssignment" a JOIN "JobResult" r ON r.assignment_id = a.id WHERE a.job_id = $1`,
      [job.id],
    ),
    readQueuePosition(database, job),
  ]);
  return {
    ...job,
    queue_position: queuePosition,
    assignments: assignments.map((assignment) => ({
      ...assignment,
      result: results.find(({ assignment_id }) => assignment_id === assignment.id) ?? null,
    })),
  };
}

/** Waiting jobs of the same type that will be taken before this one, counted to 1,000; null once it does not wait. */
async function readQueuePosition(database: Database, job: JobBody): Promise<number | null> {
  if (job.status !== 'PENDING') return null;
  const [row] = await database.rows<{ ahead: number }>(
    'jobs-position',
    `SELECT count(*)::int AS ahead FROM (
       SELECT 1 FROM "Job" WHERE status = 'PENDING' AND type = $1 AND (priority > $2 OR (priority = $2 AND id < $3)) LIMIT 1000
     ) ahead`,
    [job.type, job.priority, job.id],
  );
  return row?.ahead ?? 0;
}

export async function readEvent(database: Database, jobId: number): Promise<JobEvent | undefined> {
  const job = await readJob(database, jobId);
  if (!job) return undefined;
  const { id, type, status, progress, attempts } = job;
  return { id, type, status, progress, attempts, queuePosition: await readQueuePosition(database, job) };
}

/** The result of the attempt that succeeded. */
export async function readSuccess(database: Database, jobId: number): Promise<JobResultBody | undefined> {
  const [result] = await database.rows<JobResultBody>(
    'jobs-success',
    `SELECT r.* FROM "JobAssignment" a JOIN "JobResult" r ON r.assignment_id = a.id JOIN "Job" j ON j.id = a.job_id
     WHERE a.job_id = $1 AND j.status = 'SUCCEEDED' ORDER BY a.id DESC LIMIT 1`,
    [jobId],
  );
  return result;
}

const pollText = `
SELECT ${jobColumns('head')} FROM unnest($1::text[]) WITH ORDINALITY AS w(type, place) CROSS JOIN LATERAL (
  SELECT j.*, row_number() OVER (ORDER BY j.priority DESC, j.id) AS rank
  FROM "Job" j WHERE j.type = w.type AND j.status = 'PENDING' ORDER BY j.priority DESC, j.id LIMIT $2::int
) head ORDER BY head.rank, w.place LIMIT $2::int`;

/** Waiting jobs of the types, the heads of the queues first, the types taking turns: none hides another. */
export const pollJobs = (database: Database, types: readonly string[], limit: number) =>
  database.rows<JobBody>('jobs-poll', pollText, [types, limit]);

// A walk along the queue's index from type to type: it costs one probe a type, however many jobs wait.
const pendingTypesText = `
WITH RECURSIVE walk AS (
  (SELECT type FROM "Job" WHERE status = 'PENDING' ORDER BY type LIMIT 1)
  UNION ALL
  SELECT (SELECT j.type FROM "Job" j WHERE j.status = 'PENDING' AND j.type > walk.type ORDER BY j.type LIMIT 1)
  FROM walk WHERE walk.type IS NOT NULL
)
SELECT type FROM walk WHERE type IS NOT NULL`;

export async function readPendingTypes(database: Database): Promise<string[]> {
  return (await database.rows<{ type: string }>('jobs-pending-types', pendingTypesText, [])).map(({ type }) => type);
}

/** Jobs by type and status, for the metrics. Reads the whole table: not for every request. */
export const countJobs = (database: Database) =>
  database.rows<{ type: string; status: JobStatus; count: number }>(
    'jobs-count',
    'SELECT type, status, count(*)::int AS count FROM "Job" GROUP BY type, status',
    [],
  );
