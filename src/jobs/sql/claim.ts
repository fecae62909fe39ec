import type { AssignmentBody, JobBody, StorageScheme } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { jobColumns, pickJob } from './columns.js';

/** One worker's wish: up to `count` jobs. */
export interface ClaimSlot {
  taskArn: string;
  clusterArn: string;
  count: number;
}

/** Where assignments keep their files, and how long each type's may last. */
export interface AssignmentTerms {
  scheme: StorageScheme;
  baseUri: string;
  expiryMinutes(type: string): number;
}

export interface ClaimedJob {
  job: JobBody;
  assignment: AssignmentBody;
  /** Index of the slot that got it. */
  slot: number;
}

/** SQL for the place of an attempt's files: `base/TYPE/job/assignment`. */
export const storageUri = (base: string, job: string, assignmentId: string) =>
  `${base} || '/' || ${job}.type || '/' || ${job}.id || '/' || ${assignmentId}`;

export const nextAssignmentId = `nextval('"JobAssignment_id_seq"')::int`;

// Each CTE reads the one before and looks tables up by id, so that the time grows with the number of jobs only: joins
// between CTEs, whose sizes the planner cannot know, would be nested loops. $2 holds the workers, $7 the worker of each job.
const text = `
WITH wanted AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS w(type text, place int, minutes float8)
), candidate AS MATERIALIZED (
  SELECT head.id, w.minutes, row_number() OVER (ORDER BY head.rank, w.place) AS turn
  FROM wanted w CROSS JOIN LATERAL (
    SELECT j.id, row_number() OVER (ORDER BY j.priority DESC, j.id) AS rank
    FROM "Job" j WHERE j.type = w.type AND j.status = 'PENDING'
    ORDER BY j.priority DESC, j.id LIMIT $6::int
  ) head
  ORDER BY head.rank, w.place LIMIT $6::int
), free AS MATERIALIZED (
  SELECT j.id, c.minutes, c.turn FROM candidate c JOIN "Job" j ON j.id = c.id
  WHERE j.status = 'PENDING' ORDER BY c.turn LIMIT $3::int FOR UPDATE OF j SKIP LOCKED
), numbered AS MATERIALIZED (
  SELECT id, turn, ${nextAssignmentId} AS assignment_id, (now() + make_interval(secs => minutes * 60))::timestamptz(3) AS expires_at,
    ($7::int[])[row_number() OVER (ORDER BY turn)] AS slot
  FROM free
), claimed AS (
  UPDATE "Job" j SET status = 'IN_PROGRESS', attempts = j.attempts + 1, updated_at = now(), progress = NULL
  FROM numbered n WHERE j.id = n.id
  RETURNING ${jobColumns('j')}, n.turn, n.slot, n.assignment_id, n.expires_at, $2::jsonb -> n.slot ->> 'task' AS task_arn,
    $2::jsonb -> n.slot ->> 'cluster' AS cluster_arn, ${storageUri('$5::text', 'j', 'n.assignment_id')} AS storage_uri
), assigned AS (
  INSERT INTO "JobAssignment" (id, job_id, ecs_task_arn, ecs_cluster_arn, expires_at, storage_scheme, storage_uri)
  SELECT assignment_id, id, task_arn, cluster_arn, expires_at, $4::"StorageScheme", storage_uri FROM claimed
)
SELECT claimed.*, now()::timestamptz(3) AS assigned_at, seen.candidates
FROM (SELECT count(*)::int AS candidates FROM candidate) seen LEFT JOIN claimed ON true
ORDER BY turn`;

/** How many waiting jobs beyond those asked for are looked at, to step over what others are taking this instant. */
const slack = 32;

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
/** One row says how many candidates were seen even when none was taken. */
type Row = ClaimRow | { id: null; candidates: number };

function ofRow(row: ClaimRow, { scheme }: AssignmentTerms): ClaimedJob {
  const { slot, assignment_id, assigned_at, task_arn, cluster_arn, expires_at, storage_uri } = row;
  return {
    slot,
    job: pickJob(row),
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
 * Claims waiting jobs of `types` for several workers in one statement, the first slots served first.
 *
 * Guarantees 2: rows are taken FOR UPDATE and turned IN_PROGRESS in the same statement, so N workers racing for M jobs
 * make exactly M assignments. Guarantees 6 and 7: each type is read from its own queue in order of priority and age, and
 * the types take turns (`types` in order, then round again), so no type starves another.
 *
 * The heads of the queues are looked at without a lock, a little further than asked, and only what is taken is locked: a
 * claim never hides a job from another, and steps over what another takes at the same instant.
 */
export async function claimJobs(
  database: Database,
  types: readonly string[],
  slots: readonly ClaimSlot[],
  terms: AssignmentTerms,
): Promise<ClaimedJob[]> {
  const wanted = JSON.stringify(types.map((type, place) => ({ type, place, minutes: terms.expiryMinutes(type) })));
  const claimed: ClaimedJob[] = [];
  const workers = JSON.stringify(slots.map(({ taskArn, clusterArn }) => ({ task: taskArn, cluster: clusterArn })));
  let open = slots.flatMap(({ count }, slot) => Array.from({ length: count }, () => slot));
  for (let beyond = slack; ; beyond *= 4) {
    const window = open.length + beyond;
    const values = [wanted, workers, open.length, terms.scheme, terms.baseUri, window, open];
    const rows = await database.rows<Row>('jobs-claim', text, values);
    const taken = rows.filter((row): row is ClaimRow => row.id !== null);
    for (const row of taken) claimed.push(ofRow(row, terms));
    const moreMayWait = taken.length < open.length && (rows[0]?.candidates ?? 0) >= window;
    if (!moreMayWait) return claimed;
    open = open.slice(taken.length);
  }
}
