// A program whose job was taken away ends, with everything that it started.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expire, payload, readJobStatus, sql, submit, sweepNow } from '../../support/jobs.js';
import { isRunning, readPids, untilGone } from '../../support/processes.js';
import { type Caller, startTestService, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';
import { openWorkshop, type Workshop } from '../../support/worker.js';

let system: TestService;
let user: Caller;
let workshop: Workshop;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
});
beforeEach(async () => {
  workshop = await openWorkshop(system);
});
afterEach(async () => {
  await workshop.close();
  await sql(system, 'DELETE FROM "Job"');
});
afterAll(() => system.close());

const pids = (number: number) => readPids(path.join(workshop.folder, 'pids'), number);
const there = (name: string) => existsSync(path.join(workshop.folder, name));
const noteSelf = 'echo $$ >> "$FOLDER/pids"';
const ok = `echo '{"cog_path":"out.tif"}'`;

describe('a program whose job is cancelled', () => {
  it('gets SIGTERM, may clean up, and is gone with its child and grandchild', async () => {
    const command = `
      trap 'touch "$FOLDER/terminated"; exit 0' TERM
      sh -c 'sleep 60 & echo $! >> "$FOLDER/pids"; echo $$ >> "$FOLDER/pids"; wait' &
      ${noteSelf}
      wait`;
    await workshop.start({ handlers: workshop.exec(command) });
    const { jobId } = await submit(user, payload('cancelled'));
    const family = await pids(3);
    expect(family.every(isRunning)).toBe(true);
    await user.post(`/api/jobs/${jobId}/cancel`);
    await untilGone(...family);
    expect(there('terminated')).toBe(true);
    expect(await readJobStatus(system, jobId)).toBe('CANCELLED');
  });

  it('is killed when it ignores SIGTERM, after its grace, with its child', async () => {
    const command = `trap '' TERM; sh -c 'trap "" TERM; ${noteSelf}; while :; do sleep 1; done' & ${noteSelf}
      while :; do sleep 1; done`;
    await workshop.start({ handlers: workshop.exec(command, 300) });
    const { jobId } = await submit(user, payload('stubborn'));
    const family = await pids(2);
    await user.post(`/api/jobs/${jobId}/cancel`);
    await untilGone(...family);
    expect(await readJobStatus(system, jobId)).toBe('CANCELLED');
  });

  it('leaves the worker free for the next job', async () => {
    const command = `if [ -e "$FOLDER/pids" ]; then ${ok}; else ${noteSelf}; exec sleep 60; fi`;
    await workshop.start({ handlers: workshop.exec(command) });
    const { jobId } = await submit(user, payload('first'));
    await pids(1);
    await user.post(`/api/jobs/${jobId}/cancel`);
    const { jobId: next } = await submit(user, payload('next'));
    await until(async () => (await readJobStatus(system, next)) === 'SUCCEEDED');
    expect(await readJobStatus(system, jobId)).toBe('CANCELLED');
  });
});

describe('a program whose job went to another worker', () => {
  it('is ended too, and its result is not reported', async () => {
    const { stop } = await workshop.start({ handlers: workshop.exec(`${noteSelf}; exec sleep 60`) });
    const { jobId } = await submit(user, payload('lost'));
    const [pid = 0] = await pids(1);
    // Takes no more jobs, so that it does not take this one again.
    stop();
    const live = await sql<{ id: number }>(system, 'SELECT id FROM "JobAssignment" WHERE completed_at IS NULL');
    await expire(system, live[0]?.id ?? 0);
    await sweepNow(system);
    await untilGone(pid);
    expect(await readJobStatus(system, jobId)).toBe('PENDING');
  });
});

describe('what a program leaves running', () => {
  it('ends with it, and does not keep the job from ending', async () => {
    await workshop.start({ handlers: workshop.exec(`sleep 60 & echo $! >> "$FOLDER/pids"; ${ok}`) });
    const { jobId } = await submit(user, payload('left'));
    await until(async () => (await readJobStatus(system, jobId)) === 'SUCCEEDED');
    await untilGone(...(await pids(1)));
  });

  it('outside of its group does not keep the job from ending', async () => {
    const command = `setsid sh -c '${noteSelf}; until [ -e "$FOLDER/go" ]; do sleep 0.02; done' &
      until [ -e "$FOLDER/pids" ]; do sleep 0.02; done; ${ok}`;
    await workshop.start({ handlers: workshop.exec(command) });
    const { jobId } = await submit(user, payload('daemon'));
    await until(async () => (await readJobStatus(system, jobId)) === 'SUCCEEDED');
    await writeFile(path.join(workshop.folder, 'go'), '');
    await untilGone(...(await pids(1)));
  });
});
