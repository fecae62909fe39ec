// Measures the limit of the disk: a loop of one insert and one update a transaction, as pgbench does.
import pg from 'pg';

export async function transactionsPerSecond(databaseUrl, clients, milliseconds = 4000) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: clients });
  await pool.query('CREATE TABLE IF NOT EXISTS bench_rows (id serial PRIMARY KEY, value int NOT NULL)');
  const connections = await Promise.all(Array.from({ length: clients }, () => pool.connect()));
  const until = performance.now() + milliseconds;
  let done = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < until) {
        // Sent as one message, as by pgbench with -M simple and no pauses.
        await connection.query(
          'BEGIN; INSERT INTO bench_rows (value) VALUES (1); UPDATE bench_rows SET value = value + 1 WHERE id = lastval(); COMMIT',
        );
        done += 1;
      }
      connection.release();
    }),
  );
  await pool.query('DROP TABLE bench_rows');
  await pool.end();
  return (done / milliseconds) * 1000;
}

/** Flushes pending writes, so that each stage starts on an idle disk. */
export async function settle(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('CHECKPOINT');
  await client.end();
}

/** Fills the tables: `finished` SUCCEEDED jobs with assignments and results, `waiting` PENDING ones of another type. */
export async function enlarge(databaseUrl, finished, waiting) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query('SELECT min(id) AS id FROM "User"');
  const userId = rows[0].id;
  const insert = (status, type, count) =>
    client.query(
      `WITH made AS (
         INSERT INTO "Job" (type, status, hash, user_id, input_payload, attempts, max_attempts)
         SELECT '${type}', '${status}', md5('${status}' || n) || md5('${type}' || n), ${userId}, jsonb_build_object('cache_buster', n), 1, 3
         FROM generate_series(1, ${count}) n RETURNING id, type, hash, input_payload
       ) INSERT INTO "JobRequest" (user_id, type, input_payload, cache_hash, job_id)
         SELECT ${userId}, type, input_payload, hash, id FROM made`,
    );
  await insert('SUCCEEDED', 'DATA_SPECIFICATION_UPDATE', finished);
  await client.query(
    `WITH assigned AS (
       INSERT INTO "JobAssignment" (job_id, ecs_task_arn, ecs_cluster_arn, expires_at, storage_scheme, storage_uri, completed_at)
       SELECT id, 'task', 'cluster', now(), 'LOCAL', 'local://results/x/' || id, now() FROM "Job" WHERE status = 'SUCCEEDED'
       AND NOT EXISTS (SELECT FROM "JobAssignment" a WHERE a.job_id = "Job".id)
       RETURNING id, job_id, storage_scheme, storage_uri
     ) INSERT INTO "JobResult" (job_id, assignment_id, storage_scheme, storage_uri) SELECT job_id, id, storage_scheme, storage_uri FROM assigned`,
  );
  await insert('PENDING', 'REGIONAL_ASSESSMENT', waiting / 2);
  await insert('PENDING', 'TEST', waiting / 2);
  await client.query('VACUUM ANALYZE');
  await client.end();
}
