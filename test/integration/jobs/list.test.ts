import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
let first: TestCaller;
let second: TestCaller;
let admin: TestCaller;
let analyst: TestCaller;
let worker: TestCaller;
const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };
const submit = async (caller: TestCaller, id: number, type = 'TEST'): Promise<number> => {
  const inputPayload = type === 'TEST' ? { id } : { cache_buster: id };
  return (await caller.post('/api/jobs', { type, inputPayload })).body.jobId;
};
const ids = (jobs: { id: number }[]) => jobs.map(({ id }) => id);

let jobs: number[];
let shared: number;
let update: number;
beforeAll(async () => {
  system = await startTestService();
  [first, second, admin, analyst, worker] = await Promise.all([
    system.as(),
    system.as('VIEWER'),
    system.as('ADMIN'),
    system.as('ANALYST'),
    system.as('WORKER'),
  ]);
  jobs = [];
  for (let id = 0; id < 5; id += 1) jobs.unshift(await submit(first, id));
  shared = jobs[2] ?? 0;
  update = await submit(first, 1, 'DATA_SPECIFICATION_UPDATE');
  // The second user joins a job of the first user, and submits a job of their own.
  expect(await submit(second, 2)).toBe(shared);
  await submit(second, 99);
});
afterAll(() => system.close());

describe('GET /api/jobs', () => {
  it('lists the jobs of the user, newest first', async () => {
    const { body } = await first.get('/api/jobs');
    expect(ids(body.jobs)).toEqual([update, ...jobs]);
    expect(body).toMatchObject({ total: 6, nextCursor: null });
  });

  it('lists jobs that a request of the user joined', async () => {
    expect(ids((await second.get('/api/jobs')).body.jobs)).toContain(shared);
    expect((await second.get('/api/jobs')).body.total).toBe(2);
  });

  it('lists the rows of every user for ADMIN and ANALYST', async () => {
    for (const caller of [admin, analyst]) expect((await caller.get('/api/jobs')).body.total).toBe(7);
  });

  it('is empty for a user without requests', async () => {
    const { body } = await (await system.as()).get('/api/jobs');
    expect(body).toEqual({ jobs: [], total: 0, nextCursor: null });
  });

  it('shows each job on one page while new jobs arrive', async () => {
    const user = await system.as();
    const submitted: number[] = [];
    for (let id = 200; id < 205; id += 1) submitted.unshift(await submit(user, id));
    const seen: number[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page += 1) {
      expect(page).toBeLessThan(3);
      const { body } = await user.get(`/api/jobs?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      expect(body.total).toBe(5 + page);
      seen.push(...ids(body.jobs));
      cursor = body.nextCursor;
      await submit(user, 300 + page);
    }
    expect(seen).toEqual(submitted);
  });

  it('has no next page after a full last page', async () => {
    expect((await first.get('/api/jobs?limit=6')).body.nextCursor).toBeNull();
    expect((await first.get('/api/jobs?limit=5')).body.nextCursor).not.toBeNull();
  });

  it('filters by type, by status and by both', async () => {
    const count = async (query: string) => (await first.get(`/api/jobs?${query}`)).body.total;
    expect(await count('type=TEST')).toBe(5);
    expect(await count('type=DATA_SPECIFICATION_UPDATE')).toBe(1);
    expect(await count('type=NONE')).toBe(0);
    expect(await count('status=PENDING')).toBe(6);
    expect(await count('status=SUCCEEDED')).toBe(0);
    await first.post(`/api/jobs/${update}/cancel`);
    expect(await count('status=CANCELLED')).toBe(1);
    expect(await count('status=CANCELLED&type=TEST')).toBe(0);
    expect(await count('status=PENDING&type=TEST')).toBe(5);
  });

  it('pages a filtered list, with the total of the filter', async () => {
    const page = (await first.get('/api/jobs?type=TEST&limit=2')).body;
    expect(page.total).toBe(5);
    const next = (await first.get(`/api/jobs?type=TEST&limit=2&cursor=${page.nextCursor}`)).body;
    expect([...ids(page.jobs), ...ids(next.jobs)]).toEqual(jobs.slice(0, 4));
    expect(next.total).toBe(5);
  });
});

describe('GET /api/jobs/requests', () => {
  it('lists each request, also requests that joined a job', async () => {
    await submit(second, 2);
    const { body } = await second.get('/api/jobs/requests');
    expect(body.total).toBe(3);
    expect(
      body.jobRequests.map(({ job_id }: { job_id: number }) => job_id).filter((id: number) => id === shared),
    ).toHaveLength(2);
    expect(body.jobRequests.every(({ user_id }: { user_id: number }) => user_id === second.userId)).toBe(true);
    expect(body.jobRequests[0]).toMatchObject({ type: 'TEST', input_payload: { id: 2 }, job_id: shared });
  });

  it('pages and filters', async () => {
    const { body } = await second.get('/api/jobs/requests?limit=2&type=TEST');
    expect(body.jobRequests).toHaveLength(2);
    const rest = (await second.get(`/api/jobs/requests?limit=2&type=TEST&cursor=${body.nextCursor}`)).body;
    expect(rest.jobRequests).toHaveLength(1);
    expect((await second.get('/api/jobs/requests?type=ADRIA_MODEL_RUN')).body.total).toBe(0);
  });

  it('lists the rows of every user for ADMIN and ANALYST', async () => {
    for (const caller of [admin, analyst]) {
      const { body } = await caller.get('/api/jobs/requests');
      const users = new Set(body.jobRequests.map(({ user_id }: { user_id: number }) => user_id));
      expect(users.has(first.userId) && users.has(second.userId)).toBe(true);
    }
  });
});

describe('GET /api/jobs/:id', () => {
  it('shows the job to users who created or joined the job, to ADMIN and to ANALYST', async () => {
    for (const caller of [first, second, admin, analyst]) {
      expect((await caller.get(`/api/jobs/${shared}`)).body.job.id).toBe(shared);
    }
  });

  it('is answered 404 for other users', async () => {
    const own = await submit(first, 700);
    for (const path of ['', '/events', '/download']) {
      expect((await second.get(`/api/jobs/${own}${path}`)).status).toBe(404);
    }
    expect((await second.post(`/api/jobs/${own}/cancel`)).status).toBe(404);
  });

  it('lets the first user and an administrator cancel, but no user who joined, nor ANALYST', async () => {
    for (const caller of [second, analyst]) expect((await caller.post(`/api/jobs/${shared}/cancel`)).status).toBe(403);
    expect((await first.get(`/api/jobs/${shared}`)).body.job.status).toBe('PENDING');
    const own = await submit(first, 701);
    expect((await admin.post(`/api/jobs/${own}/cancel`)).body.job.status).toBe('CANCELLED');
    expect((await admin.post(`/api/jobs/${own}/cancel`)).status).toBe(400);
  });

  it('shows the position in the queue', async () => {
    const position = async (id: number) => (await admin.get(`/api/jobs/${id}`)).body.job.queue_position;
    const late = await submit(first, 702);
    const later = await submit(first, 703);
    expect((await position(later)) - (await position(late))).toBe(1);
    const urgent = (await first.post('/api/jobs', { type: 'TEST', inputPayload: { id: 704 }, priority: 5 })).body.jobId;
    expect(await position(urgent)).toBe(0);
  });
});

describe('GET /api/jobs/:id/download', () => {
  it('refuses a job without a result and names the status', async () => {
    const id = await submit(first, 800);
    const waiting = await first.get(`/api/jobs/${id}/download`);
    expect(waiting).toMatchObject({ status: 400, body: { message: `Job ${id} has no result: it is PENDING` } });
    await first.post(`/api/jobs/${id}/cancel`);
    expect((await first.get(`/api/jobs/${id}/download`)).body.message).toMatch(/CANCELLED$/);
  });

  it('refuses a failed job', async () => {
    const { jobId } = (await first.post('/api/jobs', { type: 'TEST', inputPayload: { id: 801 }, priority: 100 })).body;
    const [{ job, assignment }] = (await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], ...task })).body.claims;
    expect(job.id).toBe(jobId);
    await worker.post(`/api/jobs/assignments/${assignment.id}/result`, { status: 'FAILED' });
    expect(await first.get(`/api/jobs/${jobId}/download`)).toMatchObject({ status: 400 });
  });

  it('is empty for a job without files', async () => {
    const { jobId } = (await first.post('/api/jobs', { type: 'TEST', inputPayload: { id: 802 }, priority: 100 })).body;
    const [{ assignment }] = (await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], ...task })).body.claims;
    await worker.post(`/api/jobs/assignments/${assignment.id}/result`, { status: 'SUCCEEDED' });
    expect((await first.get(`/api/jobs/${jobId}/download`)).body).toEqual({
      job: { id: jobId, type: 'TEST', status: 'SUCCEEDED' },
      files: {},
    });
  });
});
