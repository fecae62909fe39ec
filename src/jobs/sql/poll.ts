import type { JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { jobColumns } from './columns.js';

const pollJobsSql = `
SELECT ${jobColumns('head')} FROM unnest($1::text[]) WITH ORDINALITY AS w(type, type_order) CROSS JOIN LATERAL (
  SELECT j.*, row_number() OVER (ORDER BY j.priority DESC, j.id) AS rank
  FROM "Job" j WHERE j.type = w.type AND j.status = 'PENDING' ORDER BY j.priority DESC, j.id LIMIT $2::int
) head ORDER BY head.rank, w.type_order LIMIT $2::int`;

/**
 * Returns waiting jobs of the types without a claim. Guarantees 6 and 7, fair types and order: the head of each
 * type's queue comes first and the types take turns, for example A1, B1, A2, B2.
 */
export const pollJobs = (database: Database, types: readonly string[], limit: number): Promise<JobBody[]> =>
  database.rows<JobBody>('jobs-poll', pollJobsSql, [types, limit]);

// Walks along the index of the queue from type to type, with one probe a type, however many jobs wait.
const readPendingTypesSql = `
WITH RECURSIVE walk AS (
  (SELECT type FROM "Job" WHERE status = 'PENDING' ORDER BY type LIMIT 1)
  UNION ALL
  SELECT (SELECT j.type FROM "Job" j WHERE j.status = 'PENDING' AND j.type > walk.type ORDER BY j.type LIMIT 1)
  FROM walk WHERE walk.type IS NOT NULL
)
SELECT type FROM walk WHERE type IS NOT NULL`;

export async function readPendingTypes(database: Database): Promise<string[]> {
  return (await database.rows<{ type: string }>('jobs-pending-types', readPendingTypesSql, [])).map(({ type }) => type);
}
