// A job between its claim and its end: heartbeat, expiry, silence, release, cancellation.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { requeueOverdue } from '../../../src/jobs/sql/requeue.js';
import {
  claim,
  count,
  expire,
  payload,
  readAttempts,
  readJob,
  readJobStatus,
  regional,
  report,
  sql,
  submit,
  submitAndClaim,
  sweepNow,
} from '../../support/jobs.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';

let system: TestService;
let user: TestCaller;
let worker: TestCaller;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
  worker = await system.as('WORKER');
});
beforeEach(() => sql(system, 'DELETE FROM "Job"'));
afterAll(() => system.close());

const heartbeat = (assignmentId: number, body: unknown = {}) =>
  worker.post(`/api/jobs/assignments/${assignmentId}/heartbeat`, body);
const release = (assignmentId: number) =>
  worker.post(`/api/jobs/assignments/${assignmentId}/release`, { reason: 'the worker stops' });
/** Sets the last heartbeat to so many seconds ago. */
const setHeartbeatAge = (assignmentId: number, seconds: number) =>
  sql(system, `UPDATE "JobAssignment" SET heartbeat_at = now() - make_interval(secs => $2) WHERE id = $1`, [
    assignmentId,
    seconds,
  ]);

describe('heartbeat', () => {
  it('stores the progress, and keeps the progress when later heartbeats have none', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('progress'));
    const progress = { fraction: 0.25, message: 'laying sites' };
    const { status, body } = await heartbeat(assignment.id, { progress });
    expect({ status, body }).toEqual({
      status: 200,
      body: { cancelRequested: false, expiresAt: assignment.expires_at },
    });
    await heartbeat(assignment.id);
    expect((await user.get(`/api/jobs/${job.id}`)).body.job).toMatchObject({ status: 'IN_PROGRESS', progress });
  });

  it('reports that the job was cancelled', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('cancelled'));
    await user.post(`/api/jobs/${job.id}/cancel`);
    expect(await heartbeat(assignment.id)).toMatchObject({ status: 200, body: { cancelRequested: true } });
  });

  it('is answered 409 after the job was requeued, and after another worker claimed the job', async () => {
    const { assignment } = await submitAndClaim(user, worker, payload('lost'));
    await expire(system, assignment.id);
    await sweepNow(system);
    expect((await heartbeat(assignment.id)).status).toBe(409);
    const [again] = await claim(worker);
    expect((await heartbeat(assignment.id, { progress: { fraction: 1, message: '' } })).status).toBe(409);
    expect((await readJob(system, again?.job.id ?? 0)).progress).toBeNull();
  });

  it('is answered 409 after the result', async () => {
    const { assignment } = await submitAndClaim(user, worker, payload('ended'));
    await report(worker, assignment.id);
    expect((await heartbeat(assignment.id)).status).toBe(409);
  });

  it('is answered 404 for an unknown assignment', async () => {
    expect((await heartbeat(2_000_000_000)).status).toBe(404);
  });

  it('uses the clock of the database rather than the clock of the worker', async () => {
    const { assignment } = await submitAndClaim(user, worker, payload('clock'));
    const anHourAgo = new Date(Date.now() - 3_600_000);
    const answer = await system.fetch(`/api/jobs/assignments/${assignment.id}/heartbeat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${worker.token}`, date: anHourAgo.toUTCString() },
      body: '{}',
    });
    expect(answer.status).toBe(200);
    expect(await count(system, `"JobAssignment" WHERE heartbeat_at > now() - interval '10 s'`)).toBe(1);
    for (const field of ['at', 'time', 'heartbeat_at', 'expiresAt']) {
      expect((await heartbeat(assignment.id, { [field]: anHourAgo.toISOString() })).status).toBe(400);
    }
    expect(await sweepNow(system)).toEqual([]);
  });
});

describe('guarantee 8: no job is lost when an assignment expires', () => {
  it('requeues the job while attempts remain, then ends the job as TIMED_OUT', async () => {
    const { jobId } = await submit(user, payload('expired'));
    for (const [attempts, next] of ['PENDING', 'PENDING', 'TIMED_OUT'].entries()) {
      const [one] = await claim(worker);
      expect(one?.job).toMatchObject({ id: jobId, attempts: attempts + 1, max_attempts: 3 });
      await expire(system, one?.assignment.id ?? 0);
      expect(await sweepNow(system)).toEqual([{ id: jobId, type: regional, status: next }]);
      expect(await readJobStatus(system, jobId)).toBe(next);
    }
    const attempts = await readAttempts(system, jobId);
    expect(attempts.map(({ reason }) => reason)).toEqual(Array(3).fill('the assignment expired'));
    expect(await claim(worker)).toEqual([]);
  });

  it('removes the progress of the attempt', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('progress'));
    await heartbeat(assignment.id, { progress: { fraction: 0.9, message: '' } });
    await expire(system, assignment.id);
    await sweepNow(system);
    expect((await readJob(system, job.id)).progress).toBeNull();
  });

  it('ends the job of a type with one attempt at once', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, { id: 1 }, 'TEST');
    await expire(system, assignment.id);
    await sweepNow(system);
    expect(await readJobStatus(system, job.id)).toBe('TIMED_OUT');
  });
});

describe('guarantee 8: no job is lost when a worker goes silent', () => {
  it('loses the job 60 s after its last heartbeat, and not before', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('silent'));
    await setHeartbeatAge(assignment.id, 59);
    expect(await sweepNow(system)).toEqual([]);
    await setHeartbeatAge(assignment.id, 61);
    expect(await sweepNow(system)).toMatchObject([{ id: job.id, status: 'PENDING' }]);
    expect(await readAttempts(system, job.id)).toMatchObject([{ reason: 'the worker sent no heartbeat for 60 s' }]);
  });

  it('keeps the job until the assignment expires when the worker never sent a heartbeat', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('three-call protocol'));
    await sql(system, `UPDATE "JobAssignment" SET created_at = now() - interval '59 min' WHERE id = $1`, [
      assignment.id,
    ]);
    expect(await sweepNow(system)).toEqual([]);
    await expire(system, assignment.id);
    expect(await sweepNow(system)).toMatchObject([{ id: job.id, status: 'PENDING' }]);
  });
});

describe('release', () => {
  it('requeues the job without using up an attempt, however often', async () => {
    const { jobId } = await submit(user, payload('released'));
    for (let n = 0; n < 5; n += 1) {
      const [one] = await claim(worker);
      expect(one?.job.attempts).toBe(1);
      const { status, body } = await release(one?.assignment.id ?? 0);
      expect({ status, job: body.job }).toMatchObject({
        status: 200,
        job: { id: jobId, status: 'PENDING', attempts: 0 },
      });
    }
  });

  it('releases an assignment once, and answers 404 for an unknown assignment', async () => {
    const { assignment } = await submitAndClaim(user, worker, payload('released twice'));
    const answers = await Promise.all(Array.from({ length: 5 }, () => release(assignment.id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    expect((await report(worker, assignment.id)).status).toBe(409);
    expect((await release(2_000_000_000)).status).toBe(404);
  });
});

describe('cancel', () => {
  const cancel = (caller: TestCaller, jobId: number) => caller.post(`/api/jobs/${jobId}/cancel`);

  it('removes a waiting job from the queue', async () => {
    const { jobId } = await submit(user, payload('waiting'));
    const { status, body } = await cancel(user, jobId);
    expect({ status, job: body.job }).toMatchObject({ status: 200, job: { id: jobId, status: 'CANCELLED' } });
    expect(await claim(worker)).toEqual([]);
  });

  it('ends a running job, closes the assignment and refuses the late result', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('running'));
    expect((await cancel(user, job.id)).body.job.status).toBe('CANCELLED');
    const [attempt] = await readAttempts(system, job.id);
    expect(attempt?.completed_at).not.toBeNull();
    expect((await report(worker, assignment.id)).status).toBe(409);
    expect((await release(assignment.id)).status).toBe(409);
    expect(await readJobStatus(system, job.id)).toBe('CANCELLED');
  });

  it.each(['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])('is answered 400 for a job that is %s', async (status) => {
    const { job } = await submitAndClaim(user, worker, payload(status));
    await sql(system, 'UPDATE "Job" SET status = $2 WHERE id = $1', [job.id, status]);
    await sql(system, 'UPDATE "JobAssignment" SET completed_at = now() WHERE job_id = $1', [job.id]);
    expect((await cancel(user, job.id)).status).toBe(400);
    expect(await readJobStatus(system, job.id)).toBe(status);
  });

  it('tells the worker of a claim that raced with the cancellation', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { jobId } = await submit(user, payload(`raced ${round}`));
      const [cancelled, claims] = await Promise.all([cancel(user, jobId), claim(worker)]);
      expect(cancelled.status).toBe(200);
      expect(await count(system, '"JobAssignment" WHERE completed_at IS NULL')).toBe(0);
      for (const { assignment } of claims) expect((await heartbeat(assignment.id)).body.cancelRequested).toBe(true);
    }
  });
});

describe('sweep', () => {
  const lock = 'pg_advisory_lock(7270736902)';

  it('does nothing without the lock', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('locked'));
    await expire(system, assignment.id);
    const lockClient = new pg.Client({ connectionString: system.testDatabase.url });
    await lockClient.connect();
    try {
      await lockClient.query(`SELECT ${lock}`);
      expect(await sweepNow(system)).toBeUndefined();
      expect(await readJobStatus(system, job.id)).toBe('IN_PROGRESS');
    } finally {
      await lockClient.end();
    }
    // The lock ends with its connection, so a process that dies does not keep the lock.
    expect(await until(() => sweepNow(system))).toMatchObject([{ id: job.id }]);
  });

  it('requeues each job once when eight processes sweep at the same instant', async () => {
    const jobs = Array.from({ length: 50 }, (_, n) => ({ type: regional, inputPayload: payload(n) }));
    await user.post('/api/jobs/batch', { jobs });
    await claim(worker, { count: 50 });
    await sql(
      system,
      `UPDATE "JobAssignment" SET expires_at = now() - interval '1 s', heartbeat_at = now() - interval '1 h'`,
    );
    // Runs half of them without the lock, because the lock only saves work.
    const sweeps = await Promise.all(
      Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? sweepNow(system) : requeueOverdue(system.database, 60))),
    );
    const ids = sweeps.flatMap((requeued) => requeued ?? []).map(({ id }) => id);
    expect(ids).toHaveLength(50);
    expect(new Set(ids).size).toBe(50);
    expect(await count(system, '"JobResult"')).toBe(50);
  });

  it('runs in the service and notifies waiting workers', async () => {
    const sweeping = await startTestService({ beside: system, env: { SWEEP_INTERVAL_SECONDS: '0.05' } });
    try {
      const { job, assignment } = await submitAndClaim(user, worker, payload('by itself'));
      const waiting = claim(worker, { wait: 20 });
      await expire(system, assignment.id);
      expect(await waiting).toMatchObject([{ job: { id: job.id, attempts: 2 } }]);
    } finally {
      await sweeping.close();
    }
  });
});
