import { ServiceError } from '../../contract/errors.js';
import type { AssignmentBody, JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import type { AssignmentTerms } from './claim.js';
import { assignmentColumns, nextAssignmentId, storageUri } from './columns.js';
import { readJobStatus } from './detail.js';

const assignJobSql = `
WITH claimed AS (
  UPDATE "Job" SET status = 'IN_PROGRESS', attempts = attempts + 1, updated_at = now(), progress = NULL
  WHERE id = $1 AND status = 'PENDING' RETURNING id, type, created_at, ${nextAssignmentId} AS assignment_id
), assigned AS (
  INSERT INTO "JobAssignment" (id, job_id, ecs_task_arn, ecs_cluster_arn, expires_at, storage_scheme, storage_uri)
  SELECT assignment_id, id, $2, $3, now() + make_interval(secs => coalesce(($4::jsonb ->> type)::float8, $5) * 60),
    $6::"StorageScheme", ${storageUri('$7::text', 'claimed', 'assignment_id')}
  FROM claimed RETURNING *
)
SELECT ${assignmentColumns('assigned')}, claimed.type, claimed.created_at AS job_created_at
FROM assigned JOIN claimed ON claimed.id = assigned.job_id`;

export interface AssignRequest {
  jobId: number;
  taskArn: string;
  clusterArn: string;
}

interface Row extends AssignmentBody {
  type: string;
  job_created_at: string;
}

export interface AssignedJob {
  job: Pick<JobBody, 'type' | 'created_at'>;
  assignment: AssignmentBody;
}

/**
 * Claims a polled job. Guarantee 2, claiming is atomic: one statement tests and sets the status, so of several workers that
 * race for a job the first gets the job, and the rest get an `invalid` error.
 */
export async function assignJob(
  database: Database,
  { jobId, taskArn, clusterArn }: AssignRequest,
  terms: AssignmentTerms,
): Promise<AssignedJob> {
  const { scheme, baseUri, defaultExpiryMinutes } = terms;
  const expiryMinutes = JSON.stringify(terms.expiryMinutes);
  const values = [jobId, taskArn, clusterArn, expiryMinutes, defaultExpiryMinutes, scheme, baseUri];
  const [row] = await database.rows<Row>('jobs-assign', assignJobSql, values);
  if (!row) {
    const status = await readJobStatus(database, jobId);
    throw new ServiceError('invalid', `Job ${jobId} cannot be assigned: it is ${status}. Poll again for waiting jobs.`);
  }
  const { type, job_created_at, ...assignment } = row;
  return { job: { type, created_at: job_created_at }, assignment };
}
