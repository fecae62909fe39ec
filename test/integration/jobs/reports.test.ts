// Guarantee 4: only the live assignment can report.
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
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let first: TestService;
let second: TestService;
let user: TestCaller;
let workers: [TestCaller, TestCaller];

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

const countResults = (jobId: number) => count(first, '"JobResult" WHERE job_id = $1', [jobId]);

describe('guarantee 4: only the live assignment can report', () => {
  it('records one of 20 reports at the same instant over two API processes, and refuses the rest', async () => {
    const { job, assignment } = await submitAndClaim(user, workers[0], payload('reported'));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        report(workers[n % 2] ?? workers[0], assignment.id, 'SUCCEEDED', { cog_path: `${n}.tif` }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
    expect(await countResults(job.id)).toBe(1);
    const winner = answers.findIndex(({ status }) => status === 200);
    const { body } = await user.get(`/api/jobs/${job.id}`);
    expect(body.job.assignments).toMatchObject([{ result: { result_payload: { cog_path: `${winner}.tif` } } }]);
  });

  it('records one of success and failure at the same instant, and ends the job accordingly', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { job, assignment } = await submitAndClaim(user, workers[0], payload(`both ${round}`));
      const [success, failure] = await Promise.all([
        report(workers[0], assignment.id),
        report(workers[1], assignment.id, 'FAILED', { error: 'no' }),
      ]);
      expect([success.status, failure.status].sort()).toEqual([200, 409]);
      expect(await readJobStatus(first, job.id)).toBe(success.status === 200 ? 'SUCCEEDED' : 'FAILED');
      expect(await countResults(job.id)).toBe(1);
    }
  });

  it('refuses a report after the sweep, and lets another worker have the job', async () => {
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

  it('ends an attempt by the report or by the sweep when both happen at the same instant', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { job, assignment } = await submitAndClaim(user, workers[0], payload(`swept ${round}`));
      await expire(first, assignment.id);
      const [answer, requeued] = await Promise.all([report(workers[0], assignment.id), sweepNow(second)]);
      expect({ status: answer.status, requeued: requeued?.length }).toEqual(
        answer.status === 200 ? { status: 200, requeued: 0 } : { status: 409, requeued: 1 },
      );
      expect(await readJobStatus(first, job.id)).toBe(answer.status === 200 ? 'SUCCEEDED' : 'PENDING');
      expect(await countResults(job.id)).toBe(1);
      await sql(first, `UPDATE "Job" SET status = 'CANCELLED' WHERE status = 'PENDING'`);
    }
  });

  it('ends a job by the report or by the cancellation when both happen at the same instant', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { job, assignment } = await submitAndClaim(user, workers[0], payload(`cancelled ${round}`));
      const [reported, cancelled] = await Promise.all([
        report(workers[1], assignment.id),
        user.post(`/api/jobs/${job.id}/cancel`),
      ]);
      expect([200, 409]).toContain(reported.status);
      expect(cancelled.status).toBe(reported.status === 200 ? 400 : 200);
      expect(await readJobStatus(first, job.id)).toBe(reported.status === 200 ? 'SUCCEEDED' : 'CANCELLED');
      const [attempt] = await readAttempts(first, job.id);
      expect(attempt?.completed_at).not.toBeNull();
    }
  });

  it('is answered 404 for an unknown assignment', async () => {
    expect((await report(workers[0], 2_000_000_000)).status).toBe(404);
  });

  it('is answered 400 for a result that breaks the schema, and accepts a later report', async () => {
    const { job, assignment } = await submitAndClaim(user, workers[0], payload('broken'));
    // The second process checks the result too, although the first process made the assignment.
    for (const worker of workers) {
      const answer = await report(worker, assignment.id, 'SUCCEEDED', { cog_path: 3 });
      expect(answer.status).toBe(400);
      expect(answer.body.issues).toMatchObject([{ path: 'resultPayload.cog_path' }]);
    }
    expect(await readJobStatus(first, job.id)).toBe('IN_PROGRESS');
    expect((await report(workers[0], assignment.id)).status).toBe(200);
  });
});

describe('POST /api/jobs/results', () => {
  const send = async (worker: TestCaller, results: unknown[]): Promise<ReportOutcome[]> => {
    const { status, body } = await worker.post('/api/jobs/results', { results });
    expect(status).toBe(200);
    return body.results;
  };
  const success = (assignmentId: number, resultPayload: unknown = regionalResult) => ({
    assignmentId,
    status: 'SUCCEEDED',
    resultPayload,
  });

  it('answers each report in order: 200, 400, 404, 409', async () => {
    const [valid, invalid, late, failed] = [
      await submitAndClaim(user, workers[0], payload('valid')),
      await submitAndClaim(user, workers[0], payload('invalid')),
      await submitAndClaim(user, workers[0], payload('late')),
      await submitAndClaim(user, workers[0], payload('failed')),
    ];
    await report(workers[0], late.assignment.id);
    const outcomes = await send(workers[1], [
      success(invalid.assignment.id, {}),
      success(valid.assignment.id),
      success(2_000_000_000),
      success(late.assignment.id),
      { assignmentId: failed.assignment.id, status: 'FAILED', resultPayload: { error: 'no' } },
    ]);
    expect(outcomes.map(({ assignmentId, status }) => [assignmentId, status])).toEqual([
      [invalid.assignment.id, 400],
      [valid.assignment.id, 200],
      [2_000_000_000, 404],
      [late.assignment.id, 409],
      [failed.assignment.id, 200],
    ]);
    expect((await readJob(first, failed.job.id)).status).toBe('FAILED');
    expect((await readJob(first, invalid.job.id)).status).toBe('IN_PROGRESS');
  });

  it('records the first of several reports for an assignment', async () => {
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

  it('records each report once when batches with the same assignments in different orders race', async () => {
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
