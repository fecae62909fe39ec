import type { JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { jobColumns } from './columns.js';

export interface Report {
  assignmentId: number;
  status: 'SUCCEEDED' | 'FAILED';
  payload: unknown;
}

/** `recorded`: it ended the job. `refused`: the assignment is not the live one. `unknown`: there is none. */
export type ReportAnswer = { outcome: 'recorded'; job: JobBody } | { outcome: 'refused' } | { outcome: 'unknown' };

const text = `
WITH live AS MATERIALIZED (
  SELECT i.n, i.status, i.payload, a.id, a.job_id, a.storage_scheme, a.storage_uri
  FROM json_to_recordset($1::json) AS i(n int, assignment_id int, status "JobStatus", payload jsonb)
  JOIN "JobAssignment" a ON a.id = i.assignment_id
  WHERE a.completed_at IS NULL ORDER BY a.id FOR UPDATE OF a
), ended AS (
  UPDATE "Job" j SET status = live.status, updated_at = now() FROM live
  WHERE j.id = live.job_id AND j.status = 'IN_PROGRESS' RETURNING live.n, live.id AS assignment_id, live.payload, live.storage_scheme, live.storage_uri, ${jobColumns('j')}
), closed AS (
  UPDATE "JobAssignment" a SET completed_at = now(), updated_at = now() FROM ended WHERE a.id = ended.assignment_id
), stored AS (
  INSERT INTO "JobResult" (job_id, assignment_id, result_payload, storage_scheme, storage_uri, cache_valid)
  SELECT id, assignment_id, payload, storage_scheme, storage_uri, status = 'SUCCEEDED' FROM ended
)
SELECT n, ${jobColumns('ended')} FROM ended`;

const knownText = 'SELECT id FROM "JobAssignment" WHERE id = ANY($1::int[])';

/**
 * Records how jobs ended, each report answered on its own.
 *
 * Guarantees 4: the assignment is locked while it is live, and only then its job ended and its result stored, in one
 * statement. Of two reports for one assignment, or of a report and the sweeper, the later finds it completed and
 * changes nothing. Assignments are locked in order of id, so two batches cannot deadlock.
 */
export async function recordReports(database: Database, reports: readonly Report[]): Promise<ReportAnswer[]> {
  const answers: ReportAnswer[] = reports.map(() => ({ outcome: 'refused' }));
  const first = new Map<number, number>();
  for (const [n, { assignmentId }] of reports.entries()) if (!first.has(assignmentId)) first.set(assignmentId, n);
  const input = [...first.values()].flatMap((n) => {
    const report = reports[n];
    return report
      ? [{ n, assignment_id: report.assignmentId, status: report.status, payload: report.payload ?? null }]
      : [];
  });
  const ended = await database.rows<JobBody & { n: number }>('jobs-report', text, [JSON.stringify(input)]);
  for (const { n, ...job } of ended) answers[n] = { outcome: 'recorded', job };
  if (ended.length === reports.length) return answers;
  const refused = reports.flatMap(({ assignmentId }, n) => (answers[n]?.outcome === 'refused' ? [assignmentId] : []));
  const known = new Set(
    (await database.rows<{ id: number }>('assignments-known', knownText, [refused])).map(({ id }) => id),
  );
  return answers.map((answer, n) => {
    const unknown = answer.outcome === 'refused' && !known.has(reports[n]?.assignmentId ?? 0);
    return unknown ? { outcome: 'unknown' } : answer;
  });
}
