import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, createApi } from '../../src/client/api.js';
import type { ApiError } from '../../src/client/api-error.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort, type RunningProgram, startProgram } from '../support/program.js';
import { until } from '../support/until.js';

let directory: string;
let postgres: TestPostgres;
let env: Record<string, string>;
const accounts = {
  ADMIN_USERNAME: 'admin@example.org',
  ADMIN_PASSWORD: 'an admin password',
  WORKER_USERNAME: 'worker@example.org',
  WORKER_PASSWORD: 'a worker password',
};
const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };

interface Server {
  program: RunningProgram;
  admin: Api;
  worker: Api;
}

async function startServe(): Promise<Server> {
  const port = await freePort();
  const program = startProgram(['serve', '--port', String(port)], { env, cwd: directory });
  await program.prints('the API listens');
  const as = (email: string, password: string) =>
    createApi({ baseUrl: `http://127.0.0.1:${port}`, credentials: { kind: 'password', email, password } });
  return {
    program,
    admin: as(accounts.ADMIN_USERNAME, accounts.ADMIN_PASSWORD),
    worker: as(accounts.WORKER_USERNAME, accounts.WORKER_PASSWORD),
  };
}

const readMetrics = async ({ baseUrl }: Api) => (await fetch(`${baseUrl}/metrics`)).text();

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-serve-'));
  postgres = await startPostgres();
  env = { REEFGUIDE_HOME: path.join(directory, 'home'), DATABASE_URL: postgres.url, ...accounts };
});
afterAll(async () => {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('serve', () => {
  it('answers open long polls at SIGTERM, and exits with 0 within ten seconds', async () => {
    const { program, worker } = await startServe();
    await worker.claim({ jobTypes: ['TEST'], ...task });
    const waiting = worker.claim({ jobTypes: ['TEST'], wait: 30, ...task });
    await until(async () => (await readMetrics(worker)).includes('reefguide_claims_waiting 1'));
    const began = performance.now();
    program.child.kill('SIGTERM');
    expect(await waiting).toEqual({ claims: [] });
    expect((await program.finished).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('leaves each job in one state when killed during reports, and a second process records the rest', async () => {
    const [first, second] = [await startServe(), await startServe()];
    const jobs = await Promise.all(Array.from({ length: 60 }, (_, n) => first.admin.submit('TEST', { id: n })));
    const { claims } = await first.worker.claim({ jobTypes: ['TEST'], count: 60, ...task });
    expect(claims).toHaveLength(60);
    let answered = 0;
    const outcomes = claims.map(async ({ assignment }) => {
      const report = first.worker.report(assignment.id, 'SUCCEEDED', {});
      void report.then(
        () => {
          answered += 1;
          if (answered === 10) first.program.child.kill('SIGKILL');
        },
        () => {},
      );
      return report.then(
        () => 'recorded',
        () => 'unknown',
      );
    });
    const firstRound = await Promise.all(outcomes);
    expect(firstRound).toContain('recorded');
    // A worker without an answer reports again: the second server records the report, or answers 409 for a recorded one.
    for (const { assignment } of claims) {
      await second.worker.report(assignment.id, 'SUCCEEDED', {}).catch((error: unknown) => {
        expect(error).toMatchObject({ status: 409 } satisfies Partial<ApiError>);
      });
    }
    for (const { jobId } of jobs) {
      const { job } = await second.admin.job(jobId);
      expect(job.status).toBe('SUCCEEDED');
      expect(job.assignments.filter(({ result }) => result !== null)).toHaveLength(1);
    }
    second.program.child.kill('SIGTERM');
    expect((await second.program.finished).code).toBe(0);
  });
});
