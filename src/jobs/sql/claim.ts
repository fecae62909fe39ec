import type { AssignmentBody, JobBody, StorageScheme } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { jobColumns, nextAssignmentId, storageUri, toJob } from './columns.js';

export interface ClaimSlot {
  taskArn: string;
  clusterArn: string;
  count: number;
}

export interface AssignmentTerms {
  scheme: StorageScheme;
  baseUri: string;
  /** Time limit of an attempt by type, for example `{ TEST: 60 }`. */
  expiryMinutes: Readonly<Record<string, number>>;
  defaultExpiryMinutes: number;
}

export interface ClaimedJob {
  job: JobBody;
  assignment: AssignmentBody;
  slot: number;
}

// Each CTE reads the CTE before and looks tables up by id, so the time grows with the number of jobs only: the planner
// cannot know the size of a CTE, and would join two CTEs by nested loops.
// $1: types in order; $2: workers; $3: number of jobs; $6: jobs to read of each type; $7: the worker of each job.
const claimJobsSql = `
WITH wanted AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS w(type text, type_order int, minutes float8)
), candidate AS MATERIALIZED (
  SELECT head.id, w.minutes, row_number() OVER (ORDER BY head.rank, w.type_order) AS position
  FROM wanted w CROSS JOIN LATERAL (
    SELECT j.id, row_number() OVER (ORDER BY j.priority DESC, j.id) AS rank
    FROM "Job" j WHERE j.type = w.type AND j.status = 'PENDING'
    ORDER BY j.priority DESC, j.id LIMIT $6::int
  ) head
  ORDER BY head.rank, w.type_order LIMIT $6::int
), free AS MATERIALIZED (
  SELECT j.id, c.minutes, c.position FROM candidate c JOIN "Job" j ON j.id = c.id
  WHERE j.status = 'PENDING' ORDER BY c.position LIMIT $3::int FOR UPDATE OF j SKIP LOCKED
), numbered AS MATERIALIZED (
  SELECT id, position, ${nextAssignmentId} AS assignment_id,
    (now() + make_interval(secs => minutes * 60))::timestamptz(3) AS expires_at,
    ($7::int[])[row_number() OVER (ORDER BY position)] AS slot
  FROM free
), claimed AS (
  UPDATE "Job" j SET status = 'IN_PROGRESS', attempts = j.attempts + 1, updated_at = now(), progress = NULL
  FROM numbered n WHERE j.id = n.id
  RETURNING ${jobColumns('j')}, n.position, n.slot, n.assignment_id, n.expires_at, $2::jsonb -> n.slot ->> 'task' AS task_arn,
    $2::jsonb -> n.slot ->> 'cluster' AS cluster_arn, ${storageUri('$5::text', 'j', 'n.assignment_id')} AS storage_uri
), assigned AS (
  INSERT INTO "JobAssignment" (id, job_id, ecs_task_arn, ecs_cluster_arn, expires_at, storage_scheme, storage_uri)
  SELECT assignment_id, id, task_arn, cluster_arn, expires_at, $4::"StorageScheme", storage_uri FROM claimed
)
SELECT claimed.*, now()::timestamptz(3) AS assigned_at, seen.candidates
FROM (SELECT count(*)::int AS candidates FROM candidate) seen LEFT JOIN claimed ON true
ORDER BY position`;

/** Waiting jobs to read beyond the requested number, to step over jobs locked by another claim. */
const minLookahead = 32;

interface ClaimRow extends JobBody {
  slot: number;
  assignment_id: number;
  assigned_at: string;
  task_arn: string;
  cluster_arn: string;
  expires_at: string;
  storage_uri: string;
  candidates: number;
}
/** A claim of no job still returns a row, with the number of candidates. */
type Row = ClaimRow | { id: null; candidates: number };

function toClaimedJob(row: ClaimRow, { scheme }: AssignmentTerms): ClaimedJob {
  const { slot, assignment_id, assigned_at, task_arn, cluster_arn, expires_at, storage_uri } = row;
  return {
    slot,
    job: toJob(row),
    assignment: {
      id: assignment_id,
      created_at: assigned_at,
      updated_at: assigned_at,
      job_id: row.id,
      ecs_task_arn: task_arn,
      ecs_cluster_arn: cluster_arn,
      expires_at,
      storage_scheme: scheme,
      storage_uri,
      heartbeat_at: null,
      completed_at: null,
    },
  };
}

/**
 * Claims waiting jobs of `types` for several workers in one statement. Earlier slots are served first.
 *
 * Guarantee 2, claiming is atomic: one statement locks the rows FOR UPDATE and sets the status, so N workers racing
 * for M jobs make exactly M assignments. Guarantees 6 and 7, fair types and order: the head of each type's queue is read
 * by priority and age, and the types take turns in the order of `types`, for example A1, B1, A2, B2.
 *
 * The heads are read without a lock, beyond the requested number, and only claimed jobs are locked. A claim therefore hides
 * no job from another claim, and steps over jobs locked by another claim.
 */
export async function claimJobs(
  database: Database,
  types: readonly string[],
  slots: readonly ClaimSlot[],
  terms: AssignmentTerms,
): Promise<ClaimedJob[]> {
  const toMinutes = (type: string) => terms.expiryMinutes[type] ?? terms.defaultExpiryMinutes;
  const wanted = JSON.stringify(types.map((type, type_order) => ({ type, type_order, minutes: toMinutes(type) })));
  const workers = JSON.stringify(slots.map(({ taskArn, clusterArn }) => ({ task: taskArn, cluster: clusterArn })));
  const claimed: ClaimedJob[] = [];
  let openSlots = slots.flatMap(({ count }, slot) => Array.from({ length: count }, () => slot));
  for (let lookahead = minLookahead; ; lookahead *= 4) {
    const readLimit = openSlots.length + lookahead;
    const values = [wanted, workers, openSlots.length, terms.scheme, terms.baseUri, readLimit, openSlots];
    const rows = await database.rows<Row>('jobs-claim', claimJobsSql, values);
    const claimedRows = rows.filter((row): row is ClaimRow => row.id !== null);
    for (const row of claimedRows) claimed.push(toClaimedJob(row, terms));
    const moreMayWait = claimedRows.length < openSlots.length && (rows[0]?.candidates ?? 0) >= readLimit;
    if (!moreMayWait) return claimed;
    openSlots = openSlots.slice(claimedRows.length);
  }
}
