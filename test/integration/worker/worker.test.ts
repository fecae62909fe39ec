// The worker runtime against the API: claim, run, upload, report.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HandlerResult } from '../../../src/worker/handler.js';
import {
  count,
  countWaitingClaims,
  payload,
  readAttempts,
  readJob,
  readJobStatus,
  regional,
  sql,
  submit,
} from '../../support/jobs.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
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

const untilStatus = (jobId: number, status: string) =>
  until(async () => (await readJobStatus(system, jobId)) === status, { what: `job ${jobId} ${status}` });
const readResult = async (jobId: number) =>
  (await user.get(`/api/jobs/${jobId}`)).body.job.assignments.at(-1).result.result_payload;
const ok = `echo '{"cog_path":"out.tif"}'`;

describe('a program that runs a job', () => {
  it('reads the job on stdin and in a file, and its last JSON line is the result', async () => {
    const program = `
      const { readFileSync } = require('node:fs');
      const stdin = readFileSync(0, 'utf8');
      const file = readFileSync(process.env.JOB_FILE, 'utf8');
      const { input_payload, assignment, id } = JSON.parse(stdin);
      console.log('{"cog_path":"not the last"}');
      const same = stdin === file && String(id) === process.env.JOB_ID && assignment.job_id === id;
      console.log(JSON.stringify({ cog_path: input_payload.region + ' ' + process.env.JOB_TYPE + ' ' + same }));
      console.log('a last word that is no JSON');`;
    await writeFile(path.join(workers.directory, 'program.cjs'), program);
    await workers.start({ handlers: workers.exec('"$NODE" "$FOLDER/program.cjs"') });
    const { jobId } = await submit(user, payload('Möwe'));
    await untilStatus(jobId, 'SUCCEEDED');
    expect(await readResult(jobId)).toEqual({ cog_path: `Möwe ${regional} true` });
  });

  it('reports progress on stderr', async () => {
    const waits = 'until [ -e "$FOLDER/go" ]; do sleep 0.02; done';
    await workers.start({ handlers: workers.exec(`echo 'PROGRESS: 0.4 laying sites' >&2; ${waits}; ${ok}`) });
    const { jobId } = await submit(user, payload('progress'));
    const { progress } = await until(async () => {
      const job = await readJob(system, jobId);
      return job.progress ? job : undefined;
    });
    expect(progress).toEqual({ fraction: 0.4, message: 'laying sites' });
    await writeFile(path.join(workers.directory, 'go'), '');
    await untilStatus(jobId, 'SUCCEEDED');
  });

  it('fails the job with the last line of stderr when the exit code is not 0', async () => {
    await workers.start({ handlers: workers.exec(`${ok}; echo 'no such region' >&2; exit 3`) });
    const { jobId } = await submit(user, payload('bad'));
    await untilStatus(jobId, 'FAILED');
    expect(await readResult(jobId)).toEqual({ error: 'the program exited with code 3: no such region' });
  });

  it('fails the job when the program does not exist or is killed', async () => {
    await workers.start({ handlers: workers.exec('no-such-program-anywhere') });
    const { jobId: missing } = await submit(user, payload('missing'));
    await untilStatus(missing, 'FAILED');
    expect((await readResult(missing)).error).toMatch(/code 127/);
    await workers.close();
    workers = await createWorkerFixture(system);
    await workers.start({ handlers: workers.exec('kill -9 $$') });
    const { jobId: killed } = await submit(user, payload('killed'));
    await untilStatus(killed, 'FAILED');
    expect((await readResult(killed)).error).toMatch(/SIGKILL/);
  });

  it('fails the job with the reason when the result breaks the schema', async () => {
    await workers.start({ handlers: workers.exec(`echo '{"cog_path":7}'`) });
    const { jobId } = await submit(user, payload('broken'));
    await untilStatus(jobId, 'FAILED');
    expect((await readResult(jobId)).error).toMatch(/does not fit its type.*cog_path/);
  });

  it('writes files that download byte by byte, links excluded', async () => {
    const files: Record<string, Buffer> = {
      'plain.bin': randomBytes(300_000),
      'empty.txt': Buffer.alloc(0),
      'with spaces & 100%.txt': Buffer.from('spaces'),
      'Größe ähnlich 珊瑚 🐠.json': Buffer.from('{}'),
      'sub folder/déjà/vu?#.txt': Buffer.from('deep'),
    };
    const source = path.join(workers.directory, 'files.json');
    await writeFile(
      source,
      JSON.stringify(Object.entries(files).map(([name, bytes]) => [name, bytes.toString('base64')])),
    );
    const program = `
      const { writeFileSync, mkdirSync, readFileSync, symlinkSync } = require('node:fs');
      const path = require('node:path');
      for (const [name, bytes] of JSON.parse(readFileSync(process.env.FOLDER + '/files.json', 'utf8'))) {
        const file = path.join(process.env.OUTPUT_DIR, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, Buffer.from(bytes, 'base64'));
      }
      symlinkSync('/etc/passwd', path.join(process.env.OUTPUT_DIR, 'passwd'));
      symlinkSync('/etc', path.join(process.env.OUTPUT_DIR, 'etc'));
      console.log('{"cog_path":"plain.bin"}');`;
    await writeFile(path.join(workers.directory, 'program.cjs'), program);
    await workers.start({ handlers: workers.exec('"$NODE" "$FOLDER/program.cjs"') });
    const { jobId } = await submit(user, payload('files'));
    await untilStatus(jobId, 'SUCCEEDED');
    const { body } = await user.get(`/api/jobs/${jobId}/download`);
    expect(Object.keys(body.files).sort()).toEqual(Object.keys(files).sort());
    for (const [name, bytes] of Object.entries(files)) {
      const answer = await fetch(body.files[name]);
      expect(answer.status).toBe(200);
      expect(bytes.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
    }
    await until(async () => (await readdir(path.join(workers.directory, 'scratch'))).length === 0);
  });
});

describe('a worker', () => {
  it('runs as many jobs at once as its concurrency, and no more', async () => {
    let now = 0;
    let max = 0;
    const finish: (() => void)[] = [];
    const handlers = {
      [regional]: async (): Promise<HandlerResult> => {
        now += 1;
        max = Math.max(max, now);
        await new Promise<void>((resolve) => finish.push(resolve));
        now -= 1;
        return { status: 'SUCCEEDED', payload: { cog_path: 'x' } };
      },
    };
    await workers.start({ handlers, concurrency: 3 });
    await user.post('/api/jobs/batch', {
      jobs: Array.from({ length: 8 }, (_, n) => ({ type: regional, inputPayload: payload(n) })),
    });
    await until(() => now === 3);
    await until(async () => {
      finish.shift()?.();
      return (await count(system, `"Job" WHERE status = 'SUCCEEDED'`)) === 8;
    });
    expect(max).toBe(3);
  });

  it('ends after its idle timeout', async () => {
    const { done } = await workers.start({ handlers: workers.exec(ok), idleTimeoutMs: 100 });
    const { jobId } = await submit(user, payload('one'));
    await done;
    expect(await readJobStatus(system, jobId)).toBe('SUCCEEDED');
    expect(await countWaitingClaims(system)).toBe(0);
  });

  it('reports a job whose handler throws as failed', async () => {
    const handlers = { [regional]: () => Promise.reject(new Error('no luck')) };
    await workers.start({ handlers });
    const { jobId } = await submit(user, payload('thrown'));
    await untilStatus(jobId, 'FAILED');
    expect(await readResult(jobId)).toEqual({ error: 'no luck' });
  });

  it('finishes its job within the grace period after a stop, and claims no more', async () => {
    let finish: (() => void) | undefined;
    const handlers = {
      [regional]: async (): Promise<HandlerResult> => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return { status: 'SUCCEEDED', payload: { cog_path: 'x' } };
      },
    };
    const { stop, done } = await workers.start({ handlers, graceMs: 60_000 });
    const { jobId } = await submit(user, payload('in hand'));
    const end = await until(() => finish);
    stop();
    const { jobId: next } = await submit(user, payload('next'));
    end();
    await done;
    expect(await readJobStatus(system, jobId)).toBe('SUCCEEDED');
    expect(await readJobStatus(system, next)).toBe('PENDING');
  });

  it('releases its job after the grace period, and the attempt does not count', async () => {
    const { stop, done } = await workers.start({
      handlers: workers.exec('touch "$FOLDER/began"; exec sleep 60'),
      graceMs: 50,
    });
    const { jobId } = await submit(user, payload('handed back'));
    await until(() => existsSync(path.join(workers.directory, 'began')));
    stop();
    await done;
    expect(await readJob(system, jobId)).toMatchObject({ status: 'PENDING', attempts: 0 });
  });

  it('reports a result after an outage of the API', async () => {
    const api = new URL(system.url);
    const proxy = await startTcpProxy({ host: api.hostname, port: Number(api.port) });
    try {
      const waits = 'touch "$FOLDER/began"; until [ -e "$FOLDER/go" ]; do sleep 0.02; done';
      const { stop, done } = await workers.start({
        baseUrl: `http://${proxy.host}:${proxy.port}`,
        handlers: workers.exec(`${waits}; touch "$FOLDER/ended"; ${ok}`),
      });
      const { jobId } = await submit(user, payload('away'));
      await until(() => existsSync(path.join(workers.directory, 'began')));
      await proxy.refuse();
      await writeFile(path.join(workers.directory, 'go'), '');
      await until(() => existsSync(path.join(workers.directory, 'ended')));
      await proxy.allow();
      await untilStatus(jobId, 'SUCCEEDED');
      stop();
      await done;
      expect(await readAttempts(system, jobId)).toHaveLength(1);
    } finally {
      await proxy.close();
    }
  });
});
