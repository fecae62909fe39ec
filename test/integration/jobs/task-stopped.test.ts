// The event processor requeues the jobs of a task that stopped.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  claim,
  newTask,
  payload,
  readAttempts,
  readJobStatus,
  regional,
  report,
  sql,
  submit,
} from '../../support/jobs.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

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

const send = async (body: string) => {
  const response = await fetch(`${system.processorUrl}/process`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const answer: unknown = await response.json();
  return { status: response.status, body: answer };
};
/** Sends the event of EventBridge for an ECS task that changes its state. */
const sendTaskState = (lastStatus: string, taskArn: string) =>
  send(
    JSON.stringify({
      version: '0',
      id: 'c8e3a3e6-0000-4000-8000-000000000000',
      'detail-type': 'ECS Task State Change',
      source: 'aws.ecs',
      account: '000000000000',
      time: '2026-03-01T04:05:06Z',
      region: 'ap-southeast-2',
      resources: [taskArn],
      detail: {
        clusterArn: 'arn:aws:ecs:test:0:cluster/c',
        taskArn,
        lastStatus,
        desiredStatus: 'STOPPED',
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        containers: [{ exitCode: 137, lastStatus, name: 'worker' }],
      },
    }),
  );
const { ecsTaskArn } = newTask();

/** Submits jobs and lets the task claim the jobs. */
async function claimForTask(payloads: unknown[], type = regional) {
  for (const inputPayload of payloads) await submit(user, inputPayload, { type });
  return claim(worker, { jobTypes: [type], count: payloads.length, ecsTaskArn });
}

describe('guarantee 8: no job is lost when a task stops', () => {
  it('requeues the jobs of the task at once, and of no other task', async () => {
    const [one, two] = await claimForTask([payload('one'), payload('two')]);
    await submit(user, payload('other'));
    const [other] = await claim(worker);
    const { status, body } = await sendTaskState('STOPPED', ecsTaskArn);
    expect(status).toBe(200);
    expect(body).toEqual({
      applied: true,
      jobs: expect.arrayContaining([one?.job.id, two?.job.id]),
      executions: [],
      stored: 0,
    });
    expect(await readJobStatus(system, one?.job.id ?? 0)).toBe('PENDING');
    expect(await readJobStatus(system, other?.job.id ?? 0)).toBe('IN_PROGRESS');
    expect(await readAttempts(system, one?.job.id ?? 0)).toMatchObject([
      { reason: expect.stringContaining('Essential container in task exited') },
    ]);
    expect((await report(worker, one?.assignment.id ?? 0)).status).toBe(409);
  });

  it('gives the job to a waiting worker', async () => {
    const [one] = await claimForTask([payload('one')]);
    const waiting = claim(worker, { wait: 20 });
    await sendTaskState('STOPPED', ecsTaskArn);
    expect(await waiting).toMatchObject([{ job: { id: one?.job.id, attempts: 2 } }]);
  });

  it('fails the job when no attempt remains', async () => {
    const [one] = await claimForTask([{ id: 1 }], 'TEST');
    await sendTaskState('STOPPED', ecsTaskArn);
    expect(await readJobStatus(system, one?.job.id ?? 0)).toBe('FAILED');
  });

  it('changes nothing twice when the event arrives again, also ten times at once', async () => {
    const [one] = await claimForTask([payload('one')]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => sendTaskState('STOPPED', ecsTaskArn)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(answers.filter(({ body }) => JSON.stringify(body).includes('true'))).toHaveLength(1);
    // Lets another task claim the job before the event arrives once more.
    const [again] = await claim(worker);
    expect(again?.job).toMatchObject({ id: one?.job.id, attempts: 2 });
    expect((await sendTaskState('STOPPED', ecsTaskArn)).body).toEqual({
      applied: false,
      jobs: [],
      executions: [],
      stored: 0,
    });
    expect(await readJobStatus(system, one?.job.id ?? 0)).toBe('IN_PROGRESS');
    expect(await readAttempts(system, one?.job.id ?? 0)).toHaveLength(2);
  });

  it('either succeeds or requeues the job when the report arrives at the same instant', async () => {
    for (let round = 0; round < 15; round += 1) {
      const [one] = await claimForTask([payload(round)]);
      const jobId = one?.job.id ?? 0;
      const [reported] = await Promise.all([
        report(worker, one?.assignment.id ?? 0),
        sendTaskState('STOPPED', ecsTaskArn),
      ]);
      expect(await readJobStatus(system, jobId)).toBe(reported.status === 200 ? 'SUCCEEDED' : 'PENDING');
      expect(await readAttempts(system, jobId)).toHaveLength(1);
      await sql(system, 'DELETE FROM "Job"');
    }
  });

  it('is answered 200 for an unknown task', async () => {
    const answer = await sendTaskState('STOPPED', 'arn:aws:ecs:test:0:task/c/unknown');
    expect(answer).toEqual({ status: 200, body: { applied: false, jobs: [], executions: [], stored: 0 } });
  });
});

describe('POST /process', () => {
  it('changes nothing when a task runs', async () => {
    const [one] = await claimForTask([payload('one')]);
    expect(await sendTaskState('RUNNING', ecsTaskArn)).toEqual({
      status: 200,
      body: { applied: false, jobs: [], executions: [], stored: 0 },
    });
    expect(await readJobStatus(system, one?.job.id ?? 0)).toBe('IN_PROGRESS');
  });

  it('answers a scheduled event with 200', async () => {
    expect((await send(JSON.stringify({ 'detail-type': 'Scheduled Event', detail: {} }))).status).toBe(200);
  });

  it.each(['{}', 'null', '[]', '"x"', '{"detail-type":"ECS Task State Change"}', '{"detail-type":3}', 'no JSON', ''])(
    'answers 400 for %s, which is no event',
    async (body) => {
      expect((await send(body)).status).toBe(400);
    },
  );
});
