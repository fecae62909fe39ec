// What happens to a job between its claim and its end: heartbeat, expiry, silence, release, cancellation.
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
import { type Caller, startTestService, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';

let system: TestService;
let user: Caller;
let worker: Caller;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
  worker = await system.as('WORKER');
});
beforeEach(() => sql(system, 'DELETE FROM "Job"'));
afterAll(() => system.close());

const beat = (assignmentId: number, body: unknown = {}) =>
  worker.post(`/api/jobs/assignments/${assignmentId}/heartbeat`, body);
const release = (assignmentId: number) =>
  worker.post(`/api/jobs/assignments/${assignmentId}/release`, { reason: 'the worker leaves' });
/** The worker was last heard of so long ago. */
const heardBefore = (assignmentId: number, seconds: number) =>
  sql(system, `UPDATE "JobAssignment" SET heartbeat_at = now() - make_interval(secs => $2) WHERE id = $1`, [
    assignmentId,
    seconds,
  ]);

describe('a heartbeat', () => {
  it('stores the progress, which later heartbeats without progress leave as it is', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('progress'));
    const progress = { fraction: 0.25, message: 'laying sites' };
    const { status, body } = await beat(assignment.id, { progress });
    expect({ status, body }).toEqual({
      status: 200,
      body: { cancelRequested: false, expiresAt: assignment.expires_at },
    });
    await beat(assignment.id);
    expect((await user.get(`/api/jobs/${job.id}`)).body.job).toMatchObject({ status: 'IN_PROGRESS', progress });
  });

  it('says that the job was cancelled', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('cancelled'));
    await user.post(`/api/jobs/${job.id}/cancel`);
    expect(await beat(assignment.id)).toMatchObject({ status: 200, body: { cancelRequested: true } });
  });

  it('is answered 409 when the job went back to the queue, and when another worker has it', async () => {
    const { assignment } = await submitAndClaim(user, worker, payload('lost'));
    await expire(system, assignment.id);
    await sweepNow(system);
    expect((await beat(assignment.id)).status).toBe(409);
    const [again] = await claim(worker);
    expect((await beat(assignment.id, { progress: { fraction: 1, message: '' } })).status).toBe(409);
    expect((await readJob(system, again?.job.id ?? 0)).progress).toBeNull();
  });

  it('is answered 409 after the result', async () => {
    const { assignment } = await submitAndClaim(user, worker, payload('ended'));
    await report(worker, assignment.id);
    expect((await beat(assignment.id)).status).toBe(409);
  });

  it('of an assignment that never was is answered 404', async () => {
    expect((await beat(2_000_000_000)).status).toBe(404);
  });

  it('counts by the database’s clock, whatever the worker’s clock says', async () => {
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
      expect((await beat(assignment.id, { [field]: anHourAgo.toISOString() })).status).toBe(400);
    }
    expect(await sweepNow(system)).toEqual([]);
  });
});

describe('an assignment that expired', () => {
  it('returns its job while attempts remain, then ends it as TIMED_OUT', async () => {
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

  it('loses the progress with the attempt', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('progress'));
    await beat(assignment.id, { progress: { fraction: 0.9, message: '' } });
    await expire(system, assignment.id);
    await sweepNow(system);
    expect((await readJob(system, job.id)).progress).toBeNull();
  });

  it('of a type with one attempt ends its job at once', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, { id: 1 }, 'TEST');
    await expire(system, assignment.id);
    await sweepNow(system);
    expect(await readJobStatus(system, job.id)).toBe('TIMED_OUT');
  });
});

describe('a silent worker', () => {
  it('loses its job when its last heartbeat is longer ago than allowed, and not before', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('silent'));
    await heardBefore(assignment.id, 59);
    expect(await sweepNow(system)).toEqual([]);
    await heardBefore(assignment.id, 61);
    expect(await sweepNow(system)).toMatchObject([{ id: job.id, status: 'PENDING' }]);
    expect(await readAttempts(system, job.id)).toMatchObject([{ reason: 'the worker sent no heartbeat for 60 s' }]);
  });

  it('that never sent a heartbeat keeps its job until the assignment expires', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('older protocol'));
    await sql(system, `UPDATE "JobAssignment" SET created_at = now() - interval '59 min' WHERE id = $1`, [
      assignment.id,
    ]);
    expect(await sweepNow(system)).toEqual([]);
    await expire(system, assignment.id);
    expect(await sweepNow(system)).toMatchObject([{ id: job.id, status: 'PENDING' }]);
  });
});

describe('a job handed back', () => {
  it('waits again with no attempt used up, as often as it happens', async () => {
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

  it('can be handed back once, and not by one who does not have it', async () => {
    const { assignment } = await submitAndClaim(user, worker, payload('released twice'));
    const answers = await Promise.all(Array.from({ length: 5 }, () => release(assignment.id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    expect((await report(worker, assignment.id)).status).toBe(409);
    expect((await release(2_000_000_000)).status).toBe(404);
  });
});

describe('cancelling', () => {
  const cancel = (caller: Caller, jobId: number) => caller.post(`/api/jobs/${jobId}/cancel`);

  it('a waiting job takes it out of the queue', async () => {
    const { jobId } = await submit(user, payload('waiting'));
    const { status, body } = await cancel(user, jobId);
    expect({ status, job: body.job }).toMatchObject({ status: 200, job: { id: jobId, status: 'CANCELLED' } });
    expect(await claim(worker)).toEqual([]);
  });

  it('a running job ends it, closes its assignment and refuses its late result', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('running'));
    expect((await cancel(user, job.id)).body.job.status).toBe('CANCELLED');
    const [attempt] = await readAttempts(system, job.id);
    expect(attempt?.completed_at).not.toBeNull();
    expect((await report(worker, assignment.id)).status).toBe(409);
    expect((await release(assignment.id)).status).toBe(409);
    expect(await readJobStatus(system, job.id)).toBe('CANCELLED');
  });

  it.each(['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])('a job that is %s is answered 400', async (status) => {
    const { job } = await submitAndClaim(user, worker, payload(status));
    await sql(system, 'UPDATE "Job" SET status = $2 WHERE id = $1', [job.id, status]);
    await sql(system, 'UPDATE "JobAssignment" SET completed_at = now() WHERE job_id = $1', [job.id]);
    expect((await cancel(user, job.id)).status).toBe(400);
    expect(await readJobStatus(system, job.id)).toBe(status);
  });

  it('raced with a claim leaves no job cancelled with a worker at it that is not told', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { jobId } = await submit(user, payload(`raced ${round}`));
      const [cancelled, claims] = await Promise.all([cancel(user, jobId), claim(worker)]);
      expect(cancelled.status).toBe(200);
      expect(await count(system, '"JobAssignment" WHERE completed_at IS NULL')).toBe(0);
      for (const { assignment } of claims) expect((await beat(assignment.id)).body.cancelRequested).toBe(true);
    }
  });
});

describe('the sweeper', () => {
  const lock = 'pg_advisory_lock(7270736902)';

  it('leaves the work to the process that has the lock', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('locked'));
    await expire(system, assignment.id);
    const holder = new pg.Client({ connectionString: system.testDatabase.url });
    await holder.connect();
    try {
      await holder.query(`SELECT ${lock}`);
      expect(await sweepNow(system)).toBeUndefined();
      expect(await readJobStatus(system, job.id)).toBe('IN_PROGRESS');
    } finally {
      await holder.end();
    }
    // The lock goes with its connection: a process that dies does not keep it.
    expect(await until(() => sweepNow(system))).toMatchObject([{ id: job.id }]);
  });

  it('in eight processes at the same instant moves each job once', async () => {
    const jobs = Array.from({ length: 50 }, (_, n) => ({ type: regional, inputPayload: payload(n) }));
    await user.post('/api/jobs/batch', { jobs });
    await claim(worker, { count: 50 });
    await sql(
      system,
      `UPDATE "JobAssignment" SET expires_at = now() - interval '1 s', heartbeat_at = now() - interval '1 h'`,
    );
    // Also without the lock, which is only there to spare work.
    const moved = await Promise.all(
      Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? sweepNow(system) : requeueOverdue(system.database, 60))),
    );
    const ids = moved.flatMap((some) => some ?? []).map(({ id }) => id);
    expect(ids).toHaveLength(50);
    expect(new Set(ids).size).toBe(50);
    expect(await count(system, '"JobResult"')).toBe(50);
  });

  it('runs by itself in the service, and wakes the workers that wait', async () => {
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
