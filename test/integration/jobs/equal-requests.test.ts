// Guarantee 5: equal requests share one live or succeeded job.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import {
  claim,
  count,
  expire,
  newTask,
  payload,
  readJobStatus,
  regional,
  regionalResult,
  report,
  sql,
  submit,
  submitAndClaim,
  sweepNow,
} from '../../support/jobs.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';

let first: TestService;
let second: TestService;
/** A user of each API process. */
let users: [TestCaller, TestCaller];
let worker: TestCaller;
let admin: TestCaller;

beforeAll(async () => {
  first = await startTestService();
  second = await startTestService({ beside: first });
  users = [await first.as(), await second.as()];
  worker = await first.as('WORKER');
  admin = await first.as('ADMIN');
});
beforeEach(() => sql(first, 'DELETE FROM "Job"'));
afterAll(async () => {
  await second?.close();
  await first?.close();
});

const getUser = (n: number) => users[n % 2] ?? users[0];
const equal = payload('equal');

describe('guarantee 5: equal requests share one job', () => {
  it('records 30 requests at the same instant over two API processes as one job', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => submit(getUser(n), payload(round))));
      expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
      expect(answers.filter(({ cached }) => !cached)).toHaveLength(1);
      expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(30);
    }
    expect(await count(first, '"Job"')).toBe(5);
    expect(await count(first, '"JobRequest"')).toBe(150);
  });

  it('records batches of the same requests in different orders at the same instant as one job a request', async () => {
    const jobs = Array.from({ length: 100 }, (_, n) => ({ type: regional, inputPayload: payload(n) }));
    const answers = await Promise.all(
      [jobs, jobs.toReversed(), [...jobs, ...jobs], jobs.toReversed()].map((order, n) =>
        getUser(n).post('/api/jobs/batch', { jobs: order }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await count(first, '"Job"')).toBe(100);
    const created = answers.flatMap(({ body }) => body.results).filter(({ cached }) => !cached);
    expect(created).toHaveLength(100);
  });

  it('ignores the order of keys', async () => {
    const parameter = { param_name: 'a', third_param_flag: false, lower: 0, upper: 1 };
    const shuffled = { upper: 1, lower: 0, third_param_flag: false, param_name: 'a' };
    const type = 'ADRIA_MODEL_RUN';
    const one = await submit(
      getUser(0),
      { data_package: 'GBR', num_scenarios: 64, model_params: [parameter], rcp_scenario: 60 },
      { type },
    );
    const other = await submit(
      getUser(1),
      { rcp_scenario: 60, model_params: [shuffled], num_scenarios: 6.4e1, data_package: 'GBR' },
      { type },
    );
    expect(other).toMatchObject({ jobId: one.jobId, cached: true });
  });

  it('treats a default that is left out and one that is spelled out as equal', async () => {
    const run = { data_package: 'MOORE', num_scenarios: 8, model_params: [] };
    const type = 'ADRIA_MODEL_RUN';
    const implied = await submit(getUser(0), run, { type });
    expect(await submit(getUser(1), { ...run, rcp_scenario: 45 }, { type })).toMatchObject({
      jobId: implied.jobId,
      cached: true,
    });
    const { jobId: other } = await submit(getUser(1), { ...run, rcp_scenario: 60 }, { type });
    expect(other).not.toBe(implied.jobId);
  });

  it('creates a job of its own for another type', async () => {
    const one = await submit(getUser(0), {}, { type: 'DATA_SPECIFICATION_UPDATE' });
    const other = await submit(getUser(0), { id: 1 }, { type: 'TEST' });
    expect(other).toMatchObject({ cached: false });
    expect(other.jobId).not.toBe(one.jobId);
  });

  it('joins a job that waits, runs or succeeded', async () => {
    const { jobId } = await submit(getUser(0), equal);
    expect(await submit(getUser(1), equal)).toMatchObject({ jobId, cached: true });
    const [one] = await claim(worker);
    expect(await submit(getUser(1), equal)).toMatchObject({ jobId, cached: true });
    await report(worker, one?.assignment.id ?? 0);
    expect(await submit(getUser(1), equal)).toMatchObject({ jobId, cached: true });
  });
});

describe('guarantee 5: a job that did not succeed answers no later request', () => {
  const endings: Record<string, () => Promise<number>> = {
    FAILED: async () => {
      const { job, assignment } = await submitAndClaim(getUser(0), worker, equal);
      await report(worker, assignment.id, 'FAILED', { error: 'no' });
      return job.id;
    },
    CANCELLED: async () => {
      const { jobId } = await submit(getUser(0), equal);
      await getUser(0).post(`/api/jobs/${jobId}/cancel`);
      return jobId;
    },
    TIMED_OUT: async () => {
      const { job, assignment } = await submitAndClaim(getUser(0), worker, equal);
      await sql(first, 'UPDATE "Job" SET max_attempts = 1 WHERE id = $1', [job.id]);
      await expire(first, assignment.id);
      await sweepNow(first);
      return job.id;
    },
  };
  it.each(Object.keys(endings))('creates one new job after a job ended %s', async (status) => {
    const jobId = (await endings[status]?.()) ?? 0;
    expect(await readJobStatus(first, jobId)).toBe(status);
    const again = await Promise.all(Array.from({ length: 10 }, (_, n) => submit(getUser(n), equal)));
    expect(new Set(again.map(({ jobId: id }) => id)).size).toBe(1);
    expect(again[0]?.jobId).not.toBe(jobId);
    expect(again.filter(({ cached }) => !cached)).toHaveLength(1);
  });

  it('joins no cancelled job when submissions race with cancellations, and leaves at most one live job', async () => {
    const cancelledAt = new Map<number, number>();
    const answers: { at: number; jobId: number }[] = [];
    let live = (await submit(getUser(0), equal)).jobId;
    const submitters = Array.from({ length: 6 }, async (_, n) => {
      for (let turn = 0; turn < 25; turn += 1) {
        const at = performance.now();
        const { jobId } = await submit(getUser(n), equal);
        answers.push({ at, jobId });
        live = jobId;
      }
    });
    const submissions = Promise.all(submitters);
    let done = false;
    void submissions.then(() => {
      done = true;
    });
    while (!done) {
      const jobId = live;
      const { status } = await admin.post(`/api/jobs/${jobId}/cancel`);
      if (status === 200) cancelledAt.set(jobId, performance.now());
      expect(await count(first, `"Job" WHERE status IN ('PENDING', 'IN_PROGRESS')`)).toBeLessThanOrEqual(1);
    }
    await submissions;
    expect(cancelledAt.size).toBeGreaterThan(3);
    const late = answers.filter(({ at, jobId }) => at > (cancelledAt.get(jobId) ?? Number.POSITIVE_INFINITY));
    expect(late).toEqual([]);
    const { jobId: last } = await submit(getUser(0), equal);
    expect(await readJobStatus(first, last)).toBe('PENDING');
  });
});

describe('guarantee 5: joining a job', () => {
  it('does not keep a worker that claims at the same instant waiting', async () => {
    const { jobId } = await submit(getUser(0), equal);
    // Slows the joining transaction down while the job is locked.
    await sql(
      first,
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END';
       CREATE TRIGGER slow AFTER INSERT ON "JobRequest" FOR EACH ROW EXECUTE FUNCTION slow()`,
    );
    try {
      const joining = submit(getUser(1), equal);
      await until(() => count(first, `pg_stat_activity WHERE wait_event = 'PgSleep'`));
      const began = performance.now();
      const claims = await claim(worker, { wait: 10 });
      expect(claims).toMatchObject([{ job: { id: jobId } }]);
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(await joining).toMatchObject({ jobId, cached: true });
    } finally {
      await sql(first, 'DROP FUNCTION slow CASCADE');
    }
  });

  it('fails no request when batches of submissions race with batches of reports', async () => {
    const jobs = Array.from({ length: 60 }, (_, n) => ({ type: regional, inputPayload: payload(n) }));
    for (let round = 0; round < 5; round += 1) {
      await sql(first, 'DELETE FROM "Job"');
      // Submits one by one, so that the order of ids differs from the order of hashes.
      for (const { inputPayload } of jobs) await submit(getUser(0), inputPayload);
      const claims = await claim(worker, { count: 100, ...newTask() });
      const results = claims.toReversed().map(({ assignment }) => ({
        assignmentId: assignment.id,
        status: 'SUCCEEDED',
        resultPayload: regionalResult,
      }));
      const answers = await Promise.all([
        ...Array.from({ length: 6 }, (_, n) => getUser(n).post('/api/jobs/batch', { jobs })),
        worker.post('/api/jobs/results', { results: results.slice(0, 50) }),
        worker.post('/api/jobs/results', { results: results.slice(50) }),
        ...Array.from({ length: 4 }, (_, n) => getUser(n).post('/api/jobs/batch', { jobs })),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
    }
  });
});

describe('guarantee 5: an invalidated result answers no later request', () => {
  const succeed = async () => {
    const { job, assignment } = await submitAndClaim(getUser(0), worker, equal);
    await report(worker, assignment.id);
    return job.id;
  };

  it('creates a new job after the cache of the type was invalidated', async () => {
    const jobId = await succeed();
    expect((await admin.post('/api/jobs/cache/invalidate', { type: regional })).body).toEqual({ invalidated: 1 });
    const again = await submit(getUser(1), equal);
    expect(again).toMatchObject({ cached: false });
    expect(again.jobId).not.toBe(jobId);
    expect(await readJobStatus(first, jobId)).toBe('SUCCEEDED');
  });

  it('creates a new job after cache_valid was set to false by SQL', async () => {
    await succeed();
    await sql(first, 'UPDATE "JobResult" SET cache_valid = false');
    expect(await submit(getUser(1), equal)).toMatchObject({ cached: false });
  });

  it('creates a new job when the job ran during the invalidation', async () => {
    const { assignment } = await submitAndClaim(getUser(0), worker, equal);
    await admin.post('/api/jobs/cache/invalidate', { type: regional });
    await report(worker, assignment.id);
    expect(await submit(getUser(1), equal)).toMatchObject({ cached: false });
  });

  it('creates a new job when a report was being written during the invalidation', async () => {
    const { job, assignment } = await submitAndClaim(getUser(0), worker, equal);
    const reporter = new pg.Client({ connectionString: first.testDatabase.url });
    await reporter.connect();
    try {
      await reporter.query('BEGIN');
      await reporter.query(`UPDATE "Job" SET status = 'SUCCEEDED' WHERE id = $1`, [job.id]);
      await reporter.query('UPDATE "JobAssignment" SET completed_at = now() WHERE id = $1', [assignment.id]);
      await reporter.query(
        `INSERT INTO "JobResult" (job_id, assignment_id, storage_scheme, storage_uri) VALUES ($1, $2, 'LOCAL', 'x')`,
        [job.id, assignment.id],
      );
      const invalidated = admin.post('/api/jobs/cache/invalidate', { type: regional });
      await until(() => count(first, 'pg_locks WHERE NOT granted'));
      await reporter.query('COMMIT');
      expect((await invalidated).status).toBe(200);
    } finally {
      await reporter.end();
    }
    expect(await submit(getUser(1), equal)).toMatchObject({ cached: false });
  });
});
