// The event processor: a task that stopped gives back what it had in hand.
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
import { type Caller, startTestService, type TestService } from '../../support/service.js';

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

const send = async (body: string) => {
  const response = await fetch(`${system.processorUrl}/process`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const answer: unknown = await response.json();
  return { status: response.status, body: answer };
};
/** What EventBridge sends when an ECS task changes its state. */
const taskIs = (lastStatus: string, taskArn: string) =>
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

/** Jobs that the task has in hand. */
async function inHand(inputs: unknown[], type = regional) {
  for (const input of inputs) await submit(user, input, { type });
  return claim(worker, { jobTypes: [type], count: inputs.length, ecsTaskArn });
}

describe('an event that a task stopped', () => {
  it('frees the jobs of the task at once, and of no other', async () => {
    const [one, two] = await inHand([payload('one'), payload('two')]);
    await submit(user, payload('other'));
    const [other] = await claim(worker);
    const { status, body } = await taskIs('STOPPED', ecsTaskArn);
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

  it('wakes a worker that waits', async () => {
    const [one] = await inHand([payload('one')]);
    const waiting = claim(worker, { wait: 20 });
    await taskIs('STOPPED', ecsTaskArn);
    expect(await waiting).toMatchObject([{ job: { id: one?.job.id, attempts: 2 } }]);
  });

  it('fails the job when no attempt remains', async () => {
    const [one] = await inHand([{ id: 1 }], 'TEST');
    await taskIs('STOPPED', ecsTaskArn);
    expect(await readJobStatus(system, one?.job.id ?? 0)).toBe('FAILED');
  });

  it('sent again, also ten times at once, changes nothing twice', async () => {
    const [one] = await inHand([payload('one')]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => taskIs('STOPPED', ecsTaskArn)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(answers.filter(({ body }) => JSON.stringify(body).includes('true'))).toHaveLength(1);
    // Another task has the job by the time that the event comes once more.
    const [again] = await claim(worker);
    expect(again?.job).toMatchObject({ id: one?.job.id, attempts: 2 });
    expect((await taskIs('STOPPED', ecsTaskArn)).body).toEqual({ applied: false, jobs: [], executions: [], stored: 0 });
    expect(await readJobStatus(system, one?.job.id ?? 0)).toBe('IN_PROGRESS');
    expect(await readAttempts(system, one?.job.id ?? 0)).toHaveLength(2);
  });

  it('raced with the report: the job succeeds or waits again, and never both', async () => {
    for (let round = 0; round < 15; round += 1) {
      const [one] = await inHand([payload(round)]);
      const jobId = one?.job.id ?? 0;
      const [reported] = await Promise.all([report(worker, one?.assignment.id ?? 0), taskIs('STOPPED', ecsTaskArn)]);
      expect(await readJobStatus(system, jobId)).toBe(reported.status === 200 ? 'SUCCEEDED' : 'PENDING');
      expect(await readAttempts(system, jobId)).toHaveLength(1);
      await sql(system, 'DELETE FROM "Job"');
    }
  });

  it('of a task that nobody knows is answered 200', async () => {
    const answer = await taskIs('STOPPED', 'arn:aws:ecs:test:0:task/c/unknown');
    expect(answer).toEqual({ status: 200, body: { applied: false, jobs: [], executions: [], stored: 0 } });
  });
});

describe('another event', () => {
  it('that a task runs changes nothing', async () => {
    const [one] = await inHand([payload('one')]);
    expect(await taskIs('RUNNING', ecsTaskArn)).toEqual({
      status: 200,
      body: { applied: false, jobs: [], executions: [], stored: 0 },
    });
    expect(await readJobStatus(system, one?.job.id ?? 0)).toBe('IN_PROGRESS');
  });

  it('that comes by schedule is answered 200', async () => {
    expect((await send(JSON.stringify({ 'detail-type': 'Scheduled Event', detail: {} }))).status).toBe(200);
  });

  it.each(['{}', 'null', '[]', '"x"', '{"detail-type":"ECS Task State Change"}', '{"detail-type":3}', 'no JSON', ''])(
    'that is none (%s) is answered 400',
    async (body) => {
      expect((await send(body)).status).toBe(400);
    },
  );
});
