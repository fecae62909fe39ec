// Programs whose jobs were cancelled or requeued end, with everything that they started.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expire, payload, readJobStatus, sql, submit, sweepNow } from '../../support/jobs.js';
import { isRunning, readPids, untilGone } from '../../support/processes.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';
import { createWorkerFixture, type WorkerFixture } from '../../support/worker.js';

let system: TestService;
let user: TestCaller;
let workers: WorkerFixture;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
});
beforeEach(async () => {
  workers = await createWorkerFixture(system);
});
afterEach(async () => {
  await workers.close();
  await sql(system, 'DELETE FROM "Job"');
});
afterAll(() => system.close());

const pids = (number: number) => readPids(path.join(workers.directory, 'pids'), number);
const exists = (name: string) => existsSync(path.join(workers.directory, name));
const recordPid = 'echo $$ >> "$FOLDER/pids"';
const ok = `echo '{"cog_path":"out.tif"}'`;

describe('a program whose job is cancelled', () => {
  it('gets SIGTERM, cleans up, and ends with its child and grandchild', async () => {
    const command = `
      trap 'touch "$FOLDER/terminated"; exit 0' TERM
      sh -c 'sleep 60 & echo $! >> "$FOLDER/pids"; echo $$ >> "$FOLDER/pids"; wait' &
      ${recordPid}
      wait`;
    await workers.start({ handlers: workers.exec(command) });
    const { jobId } = await submit(user, payload('cancelled'));
    const family = await pids(3);
    expect(family.every(isRunning)).toBe(true);
    await user.post(`/api/jobs/${jobId}/cancel`);
    await untilGone(...family);
    expect(exists('terminated')).toBe(true);
    expect(await readJobStatus(system, jobId)).toBe('CANCELLED');
  });

  it('is killed with its child after the grace period when it ignores SIGTERM', async () => {
    const command = `trap '' TERM; sh -c 'trap "" TERM; ${recordPid}; while :; do sleep 1; done' & ${recordPid}
      while :; do sleep 1; done`;
    await workers.start({ handlers: workers.exec(command, 300) });
    const { jobId } = await submit(user, payload('stubborn'));
    const family = await pids(2);
    await user.post(`/api/jobs/${jobId}/cancel`);
    await untilGone(...family);
    expect(await readJobStatus(system, jobId)).toBe('CANCELLED');
  });

  it('frees the worker for the next job', async () => {
    const command = `if [ -e "$FOLDER/pids" ]; then ${ok}; else ${recordPid}; exec sleep 60; fi`;
    await workers.start({ handlers: workers.exec(command) });
    const { jobId } = await submit(user, payload('first'));
    await pids(1);
    await user.post(`/api/jobs/${jobId}/cancel`);
    const { jobId: next } = await submit(user, payload('next'));
    await until(async () => (await readJobStatus(system, next)) === 'SUCCEEDED');
    expect(await readJobStatus(system, jobId)).toBe('CANCELLED');
  });
});

describe('a program whose job was requeued', () => {
  it('ends, and its result is not reported', async () => {
    const { stop } = await workers.start({ handlers: workers.exec(`${recordPid}; exec sleep 60`) });
    const { jobId } = await submit(user, payload('lost'));
    const [pid = 0] = await pids(1);
    // A stopped worker does not claim the requeued job again.
    stop();
    const live = await sql<{ id: number }>(system, 'SELECT id FROM "JobAssignment" WHERE completed_at IS NULL');
    await expire(system, live[0]?.id ?? 0);
    await sweepNow(system);
    await untilGone(pid);
    expect(await readJobStatus(system, jobId)).toBe('PENDING');
  });
});

describe('a process that a program leaves running', () => {
  it('ends with the program, and the job ends', async () => {
    await workers.start({ handlers: workers.exec(`sleep 60 & echo $! >> "$FOLDER/pids"; ${ok}`) });
    const { jobId } = await submit(user, payload('left'));
    await until(async () => (await readJobStatus(system, jobId)) === 'SUCCEEDED');
    const [pid = 0] = await pids(1);
    await untilGone(pid);
    expect(isRunning(pid)).toBe(false);
  });

  it('survives in another group, and the job ends', async () => {
    const command = `setsid sh -c '${recordPid}; until [ -e "$FOLDER/go" ]; do sleep 0.02; done' &
      until [ -e "$FOLDER/pids" ]; do sleep 0.02; done; ${ok}`;
    await workers.start({ handlers: workers.exec(command) });
    const { jobId } = await submit(user, payload('daemon'));
    await until(async () => (await readJobStatus(system, jobId)) === 'SUCCEEDED');
    const [pid = 0] = await pids(1);
    expect(isRunning(pid)).toBe(true);
    await writeFile(path.join(workers.directory, 'go'), '');
    await untilGone(pid);
  });
});
