import type pg from 'pg';
import type { CreatedJob } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

/** A request whose payload was checked and normalised. */
export interface NewJob {
  userId: number;
  type: string;
  payload: unknown;
  hash: string;
  priority: number;
  maxAttempts: number;
}

export interface CreateOutcome extends CreatedJob {
  /** Whether this request made the job, rather than joining one. */
  created: boolean;
  /** Whether the job is free to take: a claim of this instant may have stepped over it while the request held it. */
  free: boolean;
  type: string;
}

interface Row {
  n: number;
  job_id: number | null;
  request_id: number | null;
  created: boolean | null;
  free: boolean | null;
}

/** How often a request may find its equal, lose it to a cancellation, and look again. */
const maxRounds = 20;

/**
 * Records requests, each joined to the live or succeeded job equal to it, or to a new one; all or none.
 *
 * Guarantees 5: `Job_equal_key` lets one equal job in, also at the same instant: the loser of that race inserts nothing
 * and finds the winner in the next round. A joined job is locked FOR SHARE, so it cannot fail or be cancelled between
 * being found and being joined: what failed is never served from the cache.
 */
export async function createJobs(database: Database, jobs: readonly NewJob[]): Promise<CreateOutcome[]> {
  return database.transaction(async (client) => {
    const outcomes: CreateOutcome[] = new Array(jobs.length);
    let missing = jobs.map((_, n) => n);
    for (let round = 0; missing.length > 0; round += 1) {
      if (round === maxRounds) throw new Error(`no place in the queue found for ${missing.length} jobs`);
      const next: number[] = [];
      for (const { n, job_id, request_id, created, free } of await createRound(client, jobs, missing)) {
        const job = jobs[n];
        if (job_id === null || request_id === null || !job) next.push(n);
        else
          outcomes[n] = {
            jobId: job_id,
            cached: !created,
            requestId: request_id,
            created: created === true,
            free: free === true,
            type: job.type,
          };
      }
      missing = next;
    }
    return outcomes;
  });
}

// Equal requests of one call: the first makes the job, the others join it. New jobs are sorted by hash, so that two calls
// do not deadlock, and those found are locked by id, the order in which reports take them. A payload that is JSON null comes
// out of the recordset as an SQL one.
const text = `
WITH input AS MATERIALIZED (
  SELECT n, user_id, type, coalesce(payload, 'null') AS payload, hash, priority, max_attempts,
    row_number() OVER (PARTITION BY hash ORDER BY n) AS copy
  FROM json_to_recordset($1::json)
    AS i(n int, user_id int, type text, payload jsonb, hash text, priority int, max_attempts int)
), found AS MATERIALIZED (
  SELECT j.id, j.hash, j.status FROM "Job" j
  WHERE j.hash IN (SELECT hash FROM input) AND j.cache_valid AND j.status IN ('PENDING', 'IN_PROGRESS', 'SUCCEEDED')
  ORDER BY j.id FOR SHARE
), made AS (
  INSERT INTO "Job" (type, hash, user_id, input_payload, priority, max_attempts)
  SELECT type, hash, user_id, payload, priority, max_attempts FROM input
  WHERE copy = 1 AND hash NOT IN (SELECT hash FROM found)
  ORDER BY hash
  ON CONFLICT (hash) WHERE cache_valid AND status IN ('PENDING', 'IN_PROGRESS', 'SUCCEEDED') DO NOTHING
  RETURNING id, hash
), placed AS (
  SELECT i.*, coalesce(m.id, f.id) AS job_id, (m.id IS NOT NULL AND i.copy = 1) AS created,
    (m.id IS NOT NULL OR f.status = 'PENDING') AS free,
    CASE WHEN coalesce(m.id, f.id) IS NOT NULL THEN nextval('"JobRequest_id_seq"')::int END AS request_id
  FROM input i LEFT JOIN made m ON m.hash = i.hash LEFT JOIN found f ON f.hash = i.hash
), recorded AS (
  INSERT INTO "JobRequest" (id, user_id, type, input_payload, cache_hash, job_id)
  SELECT request_id, user_id, type, payload, hash, job_id FROM placed WHERE job_id IS NOT NULL
)
SELECT n, job_id, request_id, created, free FROM placed`;

async function createRound(client: pg.PoolClient, jobs: readonly NewJob[], missing: number[]): Promise<Row[]> {
  const input = missing.map((n) => {
    const job = jobs[n];
    return (
      job && {
        n,
        user_id: job.userId,
        type: job.type,
        payload: job.payload,
        hash: job.hash,
        priority: job.priority,
        max_attempts: job.maxAttempts,
      }
    );
  });
  return (await client.query<Row>({ name: 'jobs-create', text, values: [JSON.stringify(input)] })).rows;
}
