import type pg from 'pg';
import type { CreatedJob } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

export interface NewJob {
  userId: number;
  type: string;
  payload: unknown;
  hash: string;
  priority: number;
  maxAttempts: number;
}

export interface CreateOutcome extends CreatedJob {
  type: string;
  /** True when the request inserted the job, false when the request joined an equal job. */
  created: boolean;
  /** True when the job waits for a worker. A claim may have stepped over the job while the request locked the job. */
  claimable: boolean;
}

interface Row {
  n: number;
  job_id: number | null;
  request_id: number | null;
  created: boolean | null;
  claimable: boolean | null;
}

/** Limits how often a request finds an equal job and loses the job to a cancellation. */
const maxRounds = 20;

// The first of equal requests in a call inserts the job, and the rest join the job. Against deadlocks of two calls, new jobs
// are inserted in order of hash, and equal jobs are locked in order of id, as reports do. A payload of JSON null arrives from
// the recordset as an SQL null.
const createJobsSql = `
WITH request AS MATERIALIZED (
  SELECT n, user_id, type, coalesce(input_payload, 'null') AS input_payload, hash, priority, max_attempts,
    row_number() OVER (PARTITION BY hash ORDER BY n) AS copy
  FROM json_to_recordset($1::json)
    AS r(n int, user_id int, type text, input_payload jsonb, hash text, priority int, max_attempts int)
), equal AS MATERIALIZED (
  SELECT j.id, j.hash, j.status FROM "Job" j
  WHERE j.hash IN (SELECT hash FROM request) AND j.cache_valid AND j.status IN ('PENDING', 'IN_PROGRESS', 'SUCCEEDED')
  ORDER BY j.id FOR SHARE
), inserted AS (
  INSERT INTO "Job" (type, hash, user_id, input_payload, priority, max_attempts)
  SELECT type, hash, user_id, input_payload, priority, max_attempts FROM request
  WHERE copy = 1 AND hash NOT IN (SELECT hash FROM equal)
  ORDER BY hash
  ON CONFLICT (hash) WHERE cache_valid AND status IN ('PENDING', 'IN_PROGRESS', 'SUCCEEDED') DO NOTHING
  RETURNING id, hash
), joined AS (
  SELECT r.*, coalesce(i.id, e.id) AS job_id, (i.id IS NOT NULL AND r.copy = 1) AS created,
    (i.id IS NOT NULL OR e.status = 'PENDING') AS claimable,
    CASE WHEN coalesce(i.id, e.id) IS NOT NULL THEN nextval('"JobRequest_id_seq"')::int END AS request_id
  FROM request r LEFT JOIN inserted i ON i.hash = r.hash LEFT JOIN equal e ON e.hash = r.hash
), recorded AS (
  INSERT INTO "JobRequest" (id, user_id, type, input_payload, cache_hash, job_id)
  SELECT request_id, user_id, type, input_payload, hash, job_id FROM joined WHERE job_id IS NOT NULL
)
SELECT n, job_id, request_id, created, claimable FROM joined`;

/**
 * Records requests, all or none. Each request joins the live or succeeded job of equal type and payload, or inserts a job.
 *
 * Guarantee 5, equal requests share one job: the unique index `Job_equal_key` admits a single equal job. Of two racing
 * requests, the loser inserts nothing and finds the winner's job in the next round. A joined job is locked FOR SHARE, so the job
 * cannot fail or be cancelled before the request is recorded: the cache never serves a failed job.
 */
export async function createJobs(database: Database, jobs: readonly NewJob[]): Promise<CreateOutcome[]> {
  return database.transaction(async (client) => {
    const outcomes: CreateOutcome[] = new Array(jobs.length);
    let pending = jobs.map((job, n) => ({ job, n }));
    for (let round = 0; pending.length > 0; round += 1) {
      if (round === maxRounds)
        throw new Error(`Failed to record ${pending.length} job requests in ${maxRounds} rounds`);
      const next: typeof pending = [];
      const rows = await createRound(client, pending);
      for (const { n, job_id, request_id, created, claimable } of rows) {
        const job = jobs[n];
        if (!job) continue;
        if (job_id === null || request_id === null) next.push({ job, n });
        else
          outcomes[n] = {
            jobId: job_id,
            cached: !created,
            requestId: request_id,
            type: job.type,
            created: created === true,
            claimable: claimable === true,
          };
      }
      pending = next;
    }
    return outcomes;
  });
}

async function createRound(client: pg.PoolClient, pending: readonly { job: NewJob; n: number }[]): Promise<Row[]> {
  const requests = pending.map(({ job, n }) => ({
    n,
    user_id: job.userId,
    type: job.type,
    input_payload: job.payload,
    hash: job.hash,
    priority: job.priority,
    max_attempts: job.maxAttempts,
  }));
  const values = [JSON.stringify(requests)];
  return (await client.query<Row>({ name: 'jobs-create', text: createJobsSql, values })).rows;
}
