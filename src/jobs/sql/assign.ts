import { notFound, ServiceError } from '../../contract/errors.js';
import type { AssignmentBody, JobBody } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { type AssignmentTerms, nextAssignmentId, storageUri } from './claim.js';
import { assignmentColumns } from './columns.js';

const text = `
WITH claimed AS (
  UPDATE "Job" SET status = 'IN_PROGRESS', attempts = attempts + 1, updated_at = now(), progress = NULL
  WHERE id = $1 AND status = 'PENDING' RETURNING id, type, created_at, ${nextAssignmentId} AS assignment_id
), assigned AS (
  INSERT INTO "JobAssignment" (id, job_id, ecs_task_arn, ecs_cluster_arn, expires_at, storage_scheme, storage_uri)
  SELECT assignment_id, id, $2, $3, now() + make_interval(secs => coalesce(($4::jsonb ->> type)::float8, $5) * 60), $6::"StorageScheme", ${storageUri('$7::text', 'claimed', 'assignment_id')}
  FROM claimed RETURNING *
)
SELECT ${assignmentColumns('assigned')}, claimed.type, claimed.created_at AS job_created_at FROM assigned JOIN claimed ON claimed.id = assigned.job_id`;

interface AssignedRow extends AssignmentBody {
  type: string;
  job_created_at: string;
}

export interface AssignedJob {
  job: Pick<JobBody, 'type' | 'created_at'>;
  assignment: AssignmentBody;
}

/**
 * Takes one job that a worker polled. Guarantees 2: the status is tested and set in one statement, so of several workers
 * that want the same job one gets it and the others are refused.
 */
export async function assignJob(
  database: Database,
  wish: { jobId: number; taskArn: string; clusterArn: string },
  terms: AssignmentTerms & { expiryByType: Record<string, number>; defaultMinutes: number },
): Promise<AssignedJob> {
  const [row] = await database.rows<AssignedRow>('jobs-assign', text, [
    wish.jobId,
    wish.taskArn,
    wish.clusterArn,
    JSON.stringify(terms.expiryByType),
    terms.defaultMinutes,
    terms.scheme,
    terms.baseUri,
  ]);
  if (row) {
    const { type, job_created_at, ...assignment } = row;
    return { job: { type, created_at: job_created_at }, assignment };
  }
  const [job] = await database.rows<Pick<JobBody, 'status'>>('jobs-status', 'SELECT status FROM "Job" WHERE id = $1', [
    wish.jobId,
  ]);
  if (!job) throw notFound(`Job ${wish.jobId}`);
  throw new ServiceError('invalid', `Job ${wish.jobId} is not free: it is ${job.status}`);
}
