import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createApi } from '../../../../src/client/api.js';
import type { JobEvent } from '../../../../src/contract/jobs.js';
import { claim, payload, regional, report, sql, submit, submitAndClaim } from '../../../support/jobs.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

let first: TestService;
let second: TestService;
let user: TestCaller;
let worker: TestCaller;

beforeAll(async () => {
  first = await startTestService();
  second = await startTestService({ beside: first });
  user = await first.as();
  worker = await first.as('WORKER');
});
beforeEach(() => sql(first, 'DELETE FROM "Job"'));
afterAll(async () => {
  await second?.close();
  await first?.close();
});

describe('the event stream of a job', () => {
  const follow = (caller: TestCaller, jobId: number, system = second) => {
    const events: JobEvent[] = [];
    const done = (async () => {
      const apiKey = await first.apiKey(caller.userId);
      const api = createApi({ baseUrl: system.url, credentials: { kind: 'apiKey', apiKey } });
      for await (const event of api.events(jobId)) events.push(event);
      return events;
    })();
    return { events, done };
  };

  it('delivers events of another API process in order until the job ends', async () => {
    const { jobId } = await submit(user, payload('followed'));
    const { events, done } = follow(user, jobId);
    await until(() => events.length === 1);
    const [one] = await claim(worker);
    await until(() => events.length === 2);
    for (const fraction of [0.25, 0.75]) {
      const progress = { fraction, message: `at ${fraction}` };
      await worker.post(`/api/jobs/assignments/${one?.assignment.id}/heartbeat`, { progress });
      await until(() => events.at(-1)?.progress?.fraction === fraction);
    }
    await report(worker, one?.assignment.id ?? 0);
    const shown = (await done).map(({ id, type, status, progress, attempts }) => ({
      id,
      type,
      status,
      fraction: progress?.fraction,
      attempts,
    }));
    const common = { id: jobId, type: regional };
    expect(shown).toEqual([
      { ...common, status: 'PENDING', fraction: undefined, attempts: 0 },
      { ...common, status: 'IN_PROGRESS', fraction: undefined, attempts: 1 },
      { ...common, status: 'IN_PROGRESS', fraction: 0.25, attempts: 1 },
      { ...common, status: 'IN_PROGRESS', fraction: 0.75, attempts: 1 },
      { ...common, status: 'SUCCEEDED', fraction: 0.75, attempts: 1 },
    ]);
  });

  it('ends at once for an ended job', async () => {
    const { job, assignment } = await submitAndClaim(user, worker, payload('ended'));
    await report(worker, assignment.id);
    expect(await follow(user, job.id).done).toMatchObject([{ id: job.id, status: 'SUCCEEDED' }]);
  });

  it('delivers the position in the queue', async () => {
    await submit(user, payload('ahead'), { priority: 1 });
    const { jobId } = await submit(user, payload('behind'));
    const { events, done } = follow(user, jobId);
    await until(() => events.at(0)?.queuePosition === 1);
    await claim(worker);
    await until(() => events.at(-1)?.queuePosition === 0);
    await user.post(`/api/jobs/${jobId}/cancel`);
    expect((await done).at(-1)).toMatchObject({ status: 'CANCELLED', queuePosition: null });
  });

  it('reaches 20 followers of one job', async () => {
    const { jobId } = await submit(user, payload('popular'));
    const followers = Array.from({ length: 20 }, (_, n) => follow(user, jobId, n % 2 === 0 ? first : second));
    await until(() => followers.every(({ events }) => events.length > 0));
    await user.post(`/api/jobs/${jobId}/cancel`);
    const all = await Promise.all(followers.map(({ done }) => done));
    expect(all.map((events) => events.at(-1)?.status)).toEqual(Array(20).fill('CANCELLED'));
  });

  it('ends when the service stops', async () => {
    const stopping = await startTestService({ beside: first });
    const { jobId } = await submit(user, payload('watched'));
    const stream = await fetch(`${stopping.url}/api/jobs/${jobId}/events`, {
      headers: { authorization: `Bearer ${user.token}` },
    });
    const text = stream.text();
    await stopping.close();
    expect(await text).toContain('"status":"PENDING"');
  });
});
