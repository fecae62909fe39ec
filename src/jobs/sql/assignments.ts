import type { AssignmentBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

const findAssignmentsSql = 'SELECT id FROM "JobAssignment" WHERE id = ANY($1::int[])';

/** Returns the ids of existing assignments, live or completed. */
export async function findAssignments(database: Database, assignmentIds: readonly number[]): Promise<Set<number>> {
  const rows = await database.rows<{ id: number }>('assignments-find', findAssignmentsSql, [assignmentIds]);
  return new Set(rows.map(({ id }) => id));
}

const readTypesSql =
  'SELECT a.id, j.type FROM "JobAssignment" a JOIN "Job" j ON j.id = a.job_id WHERE a.id = ANY($1::int[])';

export async function readAssignmentTypes(database: Database, ids: readonly number[]): Promise<Map<number, string>> {
  const rows = await database.rows<{ id: number; type: string }>('assignments-types', readTypesSql, [ids]);
  return new Map(rows.map(({ id, type }) => [id, type]));
}

type AssignmentLocation = Pick<AssignmentBody, 'storage_scheme' | 'storage_uri' | 'expires_at'> & { live: boolean };

const readLocationSql =
  'SELECT storage_scheme, storage_uri, expires_at, completed_at IS NULL AS live FROM "JobAssignment" WHERE id = $1';

export async function readAssignmentLocation(database: Database, id: number): Promise<AssignmentLocation | undefined> {
  const [location] = await database.rows<AssignmentLocation>('assignments-location', readLocationSql, [id]);
  return location;
}
