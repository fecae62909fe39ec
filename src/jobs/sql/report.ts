import type { JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { findAssignments } from './assignments.js';
import { jobColumns } from './columns.js';

export interface Report {
  assignmentId: number;
  status: 'SUCCEEDED' | 'FAILED';
  resultPayload?: unknown;
}

/** `recorded`: the report ended the job. `refused`: the assignment is not live. `unknown`: no such assignment exists. */
export type ReportAnswer = { outcome: 'recorded'; job: JobBody } | { outcome: 'refused' } | { outcome: 'unknown' };

const recordReportsSql = `
WITH live AS MATERIALIZED (
  SELECT r.n, r.status, r.result_payload, a.id, a.job_id, a.storage_scheme, a.storage_uri
  FROM json_to_recordset($1::json) AS r(n int, assignment_id int, status "JobStatus", result_payload jsonb)
  JOIN "JobAssignment" a ON a.id = r.assignment_id
  WHERE a.completed_at IS NULL ORDER BY a.id FOR UPDATE OF a
), ended AS (
  UPDATE "Job" j SET status = live.status, updated_at = now() FROM live
  WHERE j.id = live.job_id AND j.status = 'IN_PROGRESS'
  RETURNING live.n, live.id AS assignment_id, live.result_payload, live.storage_scheme, live.storage_uri, ${jobColumns('j')}
), closed AS (
  UPDATE "JobAssignment" a SET completed_at = now(), updated_at = now() FROM ended WHERE a.id = ended.assignment_id
), stored AS (
  INSERT INTO "JobResult" (job_id, assignment_id, result_payload, storage_scheme, storage_uri, cache_valid)
  SELECT id, assignment_id, result_payload, storage_scheme, storage_uri, status = 'SUCCEEDED' FROM ended
)
SELECT n, ${jobColumns('ended')} FROM ended`;

/** Keeps the first report of each assignment, in the form of the statement's recordset. */
function toRecordset(reports: readonly Report[]) {
  const seen = new Set<number>();
  return reports.flatMap(({ assignmentId, status, resultPayload }, n) => {
    if (seen.has(assignmentId)) return [];
    seen.add(assignmentId);
    return { n, assignment_id: assignmentId, status, result_payload: resultPayload ?? null };
  });
}

/**
 * Records the ends of jobs, and answers each report at the same index.
 *
 * Guarantees 3 and 4, terminal statuses and live reports: one statement locks the live assignment, ends the job and stores
 * the result. The later of two reports for an assignment, or of a report and the sweeper, finds the assignment completed
 * and changes nothing. Assignments are locked in order of id, so two batches cannot deadlock.
 */
export async function recordReports(database: Database, reports: readonly Report[]): Promise<ReportAnswer[]> {
  const answers: ReportAnswer[] = reports.map(() => ({ outcome: 'refused' }));
  const recordset = JSON.stringify(toRecordset(reports));
  const ended = await database.rows<JobBody & { n: number }>('jobs-report', recordReportsSql, [recordset]);
  for (const { n, ...job } of ended) answers[n] = { outcome: 'recorded', job };
  if (ended.length === reports.length) return answers;
  const refused = reports.filter((_, n) => answers[n]?.outcome === 'refused').map(({ assignmentId }) => assignmentId);
  const existing = await findAssignments(database, refused);
  for (const [n, { assignmentId }] of reports.entries()) {
    if (answers[n]?.outcome === 'refused' && !existing.has(assignmentId)) answers[n] = { outcome: 'unknown' };
  }
  return answers;
}
