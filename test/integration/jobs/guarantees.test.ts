// Guarantees 1, 2, 3, 6 and 7, each raced. Guarantee 4 is in reports.test.ts, guarantee 5 in equal-requests.test.ts, and
// guarantee 8 in lifecycle.test.ts, task-stopped.test.ts and waiting.test.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jobStatuses } from '../../../src/contract/jobs.js';
import {
  claim,
  count,
  newTask,
  payload,
  readAttempts,
  readJob,
  regional,
  sql,
  submit,
  submitAndClaim,
} from '../../support/jobs.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let first: TestService;
let second: TestService;
let user: TestCaller;
/** A worker of each API process. */
let workers: [TestCaller, TestCaller];
let manager: TestCaller;

beforeAll(async () => {
  first = await startTestService();
  second = await startTestService({ beside: first });
  user = await first.as();
  workers = [await first.as('WORKER'), await second.as('WORKER')];
  manager = await first.as('MANAGER');
});
beforeEach(() => sql(first, 'DELETE FROM "Job"'));
afterAll(async () => {
  await second?.close();
  await first?.close();
});

/** Inserts `number` waiting jobs of a type, created an hour ago. */
const insertJobs = (type: string, number: number) =>
  sql(
    first,
    `INSERT INTO "Job" (type, hash, user_id, input_payload, max_attempts, created_at)
     SELECT $1, $1 || '-' || n, $2, jsonb_build_object('id', n), 1, now() - interval '1 h' FROM generate_series(1, $3) n`,
    [type, user.userId, number],
  );

describe('guarantee 1: at most one live assignment a job', () => {
  const insertAssignment = (jobId: number) =>
    sql(
      first,
      `INSERT INTO "JobAssignment" (job_id, ecs_task_arn, ecs_cluster_arn, expires_at, storage_scheme, storage_uri)
       VALUES ($1, 'a', 'b', now() + interval '1 h', 'LOCAL', 'local://results/x')`,
      [jobId],
    );

  it('refuses a second live assignment in the database itself', async () => {
    const { job, assignment } = await submitAndClaim(user, workers[0], payload('one'));
    await expect(insertAssignment(job.id)).rejects.toMatchObject({
      code: '23505',
      constraint: 'JobAssignment_live_key',
    });
    await sql(first, 'UPDATE "JobAssignment" SET completed_at = now() WHERE id = $1', [assignment.id]);
    await insertAssignment(job.id);
    expect(await readAttempts(first, job.id)).toHaveLength(2);
  });

  it('admits one of eight assignments at the same instant', async () => {
    const { jobId } = await submit(user, payload('raced'));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => insertAssignment(jobId)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('guarantee 2: claiming is atomic', () => {
  const getWorker = (n: number) => workers[n % 2] ?? workers[0];

  async function claimAll(worker: TestCaller): Promise<number[]> {
    const got: number[] = [];
    for (;;) {
      const claims = await claim(worker, { count: 2 });
      if (claims.length === 0) return got;
      got.push(...claims.map(({ job }) => job.id));
    }
  }
  async function pollAndAssignAll(worker: TestCaller): Promise<number[]> {
    const got: number[] = [];
    for (;;) {
      const [job] = (await worker.get(`/api/jobs/poll?jobType=${regional}&limit=1`)).body.jobs;
      if (!job) return got;
      const { status } = await worker.post('/api/jobs/assign', { jobId: job.id, ...newTask() });
      expect([200, 400]).toContain(status);
      if (status === 200) got.push(job.id);
    }
  }

  it('claims each job once when twenty workers race by claim and by assign over two API processes', async () => {
    const jobs = 60;
    const batch = Array.from({ length: jobs }, (_, n) => ({ type: regional, inputPayload: payload(n) }));
    await user.post('/api/jobs/batch', { jobs: batch });
    const racers = Array.from({ length: 20 }, (_, n) =>
      n % 4 < 2 ? claimAll(getWorker(n)) : pollAndAssignAll(getWorker(n)),
    );
    const got = (await Promise.all(racers)).flat();
    expect(got).toHaveLength(jobs);
    expect(new Set(got).size).toBe(jobs);
    expect(await count(first, '"JobAssignment"')).toBe(jobs);
    expect(await count(first, `"Job" WHERE status = 'IN_PROGRESS' AND attempts = 1`)).toBe(jobs);
  });

  it('assigns a job once when twenty workers assign the job at the same instant', async () => {
    const { jobId } = await submit(user, payload('wanted'));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => getWorker(n).post('/api/jobs/assign', { jobId, ...newTask() })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(400)]);
    expect(await readAttempts(first, jobId)).toHaveLength(1);
  });
});

describe('guarantee 3: a terminal status never changes', () => {
  const allowed: Record<string, readonly string[]> = {
    PENDING: ['PENDING', 'IN_PROGRESS', 'CANCELLED'],
    IN_PROGRESS: jobStatuses,
  };
  const transitions = jobStatuses.flatMap((from) => jobStatuses.map((to) => ({ from, to })));
  const isAllowed = ({ from, to }: { from: string; to: string }) =>
    from === to || (allowed[from]?.includes(to) ?? false);

  const move = async ({ from, to }: { from: string; to: string }) => {
    const [job] = await sql<{ id: number }>(
      first,
      `INSERT INTO "Job" (type, status, hash, user_id, input_payload, max_attempts)
       VALUES ('TEST', $1, gen_random_uuid(), $2, '{}', 1) RETURNING id`,
      [from, user.userId],
    );
    const id = job?.id ?? 0;
    const refused = await sql(first, 'UPDATE "Job" SET status = $2 WHERE id = $1', [id, to]).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { refused, status: (await readJob(first, id)).status };
  };

  it.each(transitions.filter((transition) => !isAllowed(transition)))('refuses $from -> $to', async (transition) => {
    const { refused, status } = await move(transition);
    expect(refused).toMatchObject({ code: '23514' });
    expect(status).toBe(transition.from);
  });

  it.each(transitions.filter(isAllowed))('allows $from -> $to', async (transition) => {
    expect(await move(transition)).toEqual({ refused: undefined, status: transition.to });
  });
});

describe('guarantee 6: no type starves another', () => {
  // Tries the crowded type first and last in the alphabet, because neither order may matter.
  it.each([
    { crowd: 'DATA_SPECIFICATION_UPDATE', lone: 'TEST' },
    { crowd: 'TEST', lone: 'DATA_SPECIFICATION_UPDATE' },
  ])('serves $lone at once while 10,000 older jobs of $crowd wait', async ({ crowd, lone }) => {
    await insertJobs(crowd, 10_000);
    const inputPayload = lone === 'TEST' ? { id: 1 } : {};
    const { jobId } = await submit(user, inputPayload, { type: lone });
    const [worker] = workers;

    const everyType = (await worker.get('/api/jobs/poll')).body.jobs;
    expect(new Set(everyType.map(({ type }: { type: string }) => type))).toEqual(new Set([crowd, lone]));
    const ofType = (await worker.get(`/api/jobs/poll?jobType=${lone}`)).body.jobs;
    expect(ofType).toMatchObject([{ id: jobId }]);

    const both = [await claim(worker, { jobTypes: [crowd, lone] }), await claim(worker, { jobTypes: [crowd, lone] })];
    expect(
      both
        .flat()
        .map(({ job }) => job.type)
        .sort(),
    ).toEqual([crowd, lone].sort());

    const { jobId: next } = await submit(user, lone === 'TEST' ? { id: 2 } : { cache_buster: 2 }, { type: lone });
    expect(await claim(worker, { jobTypes: [lone] })).toMatchObject([{ job: { id: next } }]);
  });

  it('shows the types in turn when a poll asks for fewer jobs than types', async () => {
    await submit(user, payload(1));
    await submit(user, { id: 1 }, { type: 'TEST' });
    const shown = new Set<string>();
    for (let n = 0; n < 2; n += 1) shown.add((await manager.get('/api/jobs/poll?limit=1')).body.jobs[0].type);
    expect([...shown].sort()).toEqual([regional, 'TEST']);
  });

  it('claims the types in turn when a worker claims one job at a time', async () => {
    await insertJobs('TEST', 20);
    await insertJobs(regional, 20);
    const taken: string[] = [];
    for (let n = 0; n < 10; n += 1) {
      const claims = await claim(workers[0], { jobTypes: ['TEST', regional] });
      taken.push(...claims.map(({ job }) => job.type));
    }
    expect(taken.filter((type) => type === 'TEST')).toHaveLength(5);
  });
});

describe('guarantee 7: order within a type is priority, then age', () => {
  const priorities = [0, 5, 0, -1, 5, 2_147_483_647];
  const expectedOrder = [5, 1, 4, 0, 2, 3];
  let ids: number[];

  beforeEach(async () => {
    ids = [];
    for (const [n, priority] of priorities.entries()) ids.push((await submit(user, payload(n), { priority })).jobId);
  });
  const expected = () => expectedOrder.map((index) => ids[index]);
  const toIds = (jobs: { id: number }[]) => jobs.map(({ id }) => id);

  it('polls in order', async () => {
    expect(toIds((await manager.get(`/api/jobs/poll?jobType=${regional}`)).body.jobs)).toEqual(expected());
    expect(toIds((await manager.get('/api/jobs/poll')).body.jobs)).toEqual(expected());
  });

  it('claims several jobs in order', async () => {
    expect(toIds((await claim(workers[0], { count: 10 })).map(({ job }) => job))).toEqual(expected());
  });

  it('claims one job at a time in order, over two API processes', async () => {
    const got: number[] = [];
    for (let n = 0; n < priorities.length; n += 1)
      got.push(...toIds((await claim(workers[n % 2] ?? workers[0])).map(({ job }) => job)));
    expect(got).toEqual(expected());
  });
});
