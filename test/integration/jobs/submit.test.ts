import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
let user: TestCaller;
let worker: TestCaller;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
  worker = await system.as('WORKER');
});
afterAll(() => system.close());

const task = { ecsTaskArn: 'arn:aws:ecs:test:0:task/c/1', ecsClusterArn: 'arn:aws:ecs:test:0:cluster/c' };

describe('job', () => {
  it('goes from submission through claim and report to SUCCEEDED', async () => {
    const created = await user.post('/api/jobs', { type: 'TEST', inputPayload: { id: 1 } });
    expect(created.body).toEqual({ jobId: expect.any(Number), cached: false, requestId: expect.any(Number) });
    const claimed = await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], ...task });
    const [{ job, assignment }] = claimed.body.claims;
    expect(job).toMatchObject({ id: created.body.jobId, status: 'IN_PROGRESS', attempts: 1, input_payload: { id: 1 } });
    expect(assignment).toMatchObject({ job_id: job.id, storage_scheme: 'LOCAL', completed_at: null });
    const reported = await worker.post(`/api/jobs/assignments/${assignment.id}/result`, {
      status: 'SUCCEEDED',
      resultPayload: {},
    });
    expect(reported.body.job.status).toBe('SUCCEEDED');
    const shown = await user.get(`/api/jobs/${job.id}`);
    expect(shown.body.job.assignments).toMatchObject([
      { id: assignment.id, result: { result_payload: {}, cache_valid: true } },
    ]);
  });

  it('answers an equal request from the cache after it succeeded', async () => {
    const again = await user.post('/api/jobs', { type: 'TEST', inputPayload: { id: 1 } });
    expect(again.body.cached).toBe(true);
  });
});
