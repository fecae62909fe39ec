// Guarantee 4: only the live assignment can report; a late or repeated report changes nothing.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReportOutcome } from '../../../src/contract/jobs.js';
import {
  claim,
  count,
  expire,
  payload,
  readAttempts,
  readJob,
  readJobStatus,
  regional,
  regionalResult,
  report,
  sql,
  submitAndClaim,
  sweepNow,
} from '../../support/jobs.js';
import { type Caller, startTestService, type TestService } from '../../support/service.js';

let first: TestService;
let second: TestService;
let user: Caller;
let workers: [Caller, Caller];

beforeAll(async () => {
  first = await startTestService();
  second = await startTestService({ beside: first });
  user = await first.as();
  workers = [await first.as('WORKER'), await second.as('WORKER')];
});
beforeEach(() => sql(first, 'DELETE FROM "Job"'));
afterAll(async () => {
  await second?.close();
  await first?.close();
});

const ended = '(200|409)';
const resultsOf = (jobId: number) => count(first, '"JobResult" WHERE job_id = $1', [jobId]);

describe('guarantee 4: only the live assignment can report', () => {
  it('20 reports at the same instant over two API processes: one is recorded, the others are refused', async () => {
    const { job, assignment } = await submitAndClaim(user, workers[0], payload('reported'));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        report(workers[n % 2] ?? workers[0], assignment.id, 'SUCCEEDED', { cog_path: `${n}.tif` }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
    expect(await resultsOf(job.id)).toBe(1);
    const winner = answers.findIndex(({ status }) => status === 200);
    const { body } = await user.get(`/api/jobs/${job.id}`);
    expect(body.job.assignments).toMatchObject([{ result: { result_payload: { cog_path: `${winner}.tif` } } }]);
  });

  it('of success and failure at the same instant one is kept, and the job ends as it says', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { job, assignment } = await submitAndClaim(user, workers[0], payload(`both ${round}`));
      const [good, bad] = await Promise.all([
        report(workers[0], assignment.id),
        report(workers[1], assignment.id, 'FAILED', { error: 'no' }),
      ]);
      expect([good.status, bad.status].sort()).toEqual([200, 409]);
      expect(await readJobStatus(first, job.id)).toBe(good.status === 200 ? 'SUCCEEDED' : 'FAILED');
      expect(await resultsOf(job.id)).toBe(1);
    }
  });

  it('a report after the sweep is refused, and the job is another worker’s', async () => {
    const { job, assignment } = await submitAndClaim(user, workers[0], payload('late'));
    await expire(first, assignment.id);
    expect(await sweepNow(first)).toMatchObject([{ id: job.id, status: 'PENDING' }]);
    expect((await report(workers[0], assignment.id)).status).toBe(409);
    expect(await readJobStatus(first, job.id)).toBe('PENDING');
    const [again] = await claim(workers[1]);
    expect((await report(workers[0], assignment.id)).status).toBe(409);
    expect(await readJobStatus(first, job.id)).toBe('IN_PROGRESS');
    expect((await report(workers[1], again?.assignment.id ?? 0)).status).toBe(200);
  });

  it('of a report and the sweep at the same instant one ends the attempt', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { job, assignment } = await submitAndClaim(user, workers[0], payload(`swept ${round}`));
      await expire(first, assignment.id);
      const [answer, moved] = await Promise.all([report(workers[0], assignment.id), sweepNow(second)]);
      expect({ status: answer.status, moved: moved?.length }).toEqual(
        answer.status === 200 ? { status: 200, moved: 0 } : { status: 409, moved: 1 },
      );
      expect(await readJobStatus(first, job.id)).toBe(answer.status === 200 ? 'SUCCEEDED' : 'PENDING');
      expect(await resultsOf(job.id)).toBe(1);
      await sql(first, `UPDATE "Job" SET status = 'CANCELLED' WHERE status = 'PENDING'`);
    }
  });

  it('of a report and a cancellation at the same instant one ends the job', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { job, assignment } = await submitAndClaim(user, workers[0], payload(`cancelled ${round}`));
      const [reported, cancelled] = await Promise.all([
        report(workers[1], assignment.id),
        user.post(`/api/jobs/${job.id}/cancel`),
      ]);
      expect(`${reported.status}`).toMatch(new RegExp(ended));
      expect(cancelled.status).toBe(reported.status === 200 ? 400 : 200);
      expect(await readJobStatus(first, job.id)).toBe(reported.status === 200 ? 'SUCCEEDED' : 'CANCELLED');
      const [attempt] = await readAttempts(first, job.id);
      expect(attempt?.completed_at).not.toBeNull();
    }
  });

  it('a report of an assignment that never was is answered 404', async () => {
    expect((await report(workers[0], 2_000_000_000)).status).toBe(404);
  });

  it('a result that breaks the schema is answered 400 and leaves the job to be reported', async () => {
    const { job, assignment } = await submitAndClaim(user, workers[0], payload('broken'));
    // Process two did not hand the assignment out, and checks it all the same.
    for (const worker of workers) {
      const answer = await report(worker, assignment.id, 'SUCCEEDED', { cog_path: 3 });
      expect(answer.status).toBe(400);
      expect(answer.body.issues).toMatchObject([{ path: 'resultPayload.cog_path' }]);
    }
    expect(await readJobStatus(first, job.id)).toBe('IN_PROGRESS');
    expect((await report(workers[0], assignment.id)).status).toBe(200);
  });
});

describe('a batch of reports', () => {
  const send = async (worker: Caller, results: unknown[]): Promise<ReportOutcome[]> => {
    const { status, body } = await worker.post('/api/jobs/results', { results });
    expect(status).toBe(200);
    return body.results;
  };
  const success = (assignmentId: number, resultPayload: unknown = regionalResult) => ({
    assignmentId,
    status: 'SUCCEEDED',
    resultPayload,
  });

  it('is answered each on its own, in order: 200, 400, 404, 409', async () => {
    const [good, broken, old, failed] = [
      await submitAndClaim(user, workers[0], payload('good')),
      await submitAndClaim(user, workers[0], payload('broken')),
      await submitAndClaim(user, workers[0], payload('old')),
      await submitAndClaim(user, workers[0], payload('failed')),
    ];
    await report(workers[0], old.assignment.id);
    const outcomes = await send(workers[1], [
      success(broken.assignment.id, {}),
      success(good.assignment.id),
      success(2_000_000_000),
      success(old.assignment.id),
      { assignmentId: failed.assignment.id, status: 'FAILED', resultPayload: { error: 'no' } },
    ]);
    expect(outcomes.map(({ assignmentId, status }) => [assignmentId, status])).toEqual([
      [broken.assignment.id, 400],
      [good.assignment.id, 200],
      [2_000_000_000, 404],
      [old.assignment.id, 409],
      [failed.assignment.id, 200],
    ]);
    expect((await readJob(first, failed.job.id)).status).toBe('FAILED');
    expect((await readJob(first, broken.job.id)).status).toBe('IN_PROGRESS');
  });

  it('with the same assignment several times records the first', async () => {
    const { job, assignment } = await submitAndClaim(user, workers[0], payload('twice'));
    const outcomes = await send(workers[0], [
      success(assignment.id, { cog_path: 'first.tif' }),
      { assignmentId: assignment.id, status: 'FAILED' },
      success(assignment.id, { cog_path: 'third.tif' }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([200, 409, 409]);
    const { body } = await user.get(`/api/jobs/${job.id}`);
    expect(body.job).toMatchObject({
      status: 'SUCCEEDED',
      assignments: [{ result: { result_payload: { cog_path: 'first.tif' } } }],
    });
  });

  it('racing with others that hold the same assignments in another order records each once', async () => {
    const jobs = Array.from({ length: 100 }, (_, n) => ({ type: regional, inputPayload: payload(`raced ${n}`) }));
    await user.post('/api/jobs/batch', { jobs });
    const ids = (await claim(workers[0], { count: 100 })).map(({ assignment }) => assignment.id);
    const orders = [ids, ids.toReversed(), [...ids.slice(50), ...ids.slice(0, 50)], ids.toReversed()];
    const outcomes = await Promise.all(
      orders.map((order, n) =>
        send(
          workers[n % 2] ?? workers[0],
          order.map((id) => success(id)),
        ),
      ),
    );
    const recorded = outcomes.flat().filter(({ status }) => status === 200);
    expect(recorded).toHaveLength(100);
    expect(new Set(recorded.map(({ assignmentId }) => assignmentId)).size).toBe(100);
    expect(outcomes.flat().filter(({ status }) => status === 409)).toHaveLength(300);
    expect(await count(first, `"Job" WHERE status = 'SUCCEEDED'`)).toBe(100);
  });
});
