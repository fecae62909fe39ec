import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { processStart } from '../../src/platform/processes.js';
import { freePort, type RunningProgram, runProgram, startProgram } from '../support/program.js';
import { until } from '../support/until.js';

let directory: string;
let env: Record<string, string>;
let ports: string[];
let dev: RunningProgram;
let api: string;

const cli = (...args: string[]) => runProgram(args, { env, cwd: directory });
const startDev = async () => {
  dev = startProgram(['dev', ...ports], { env, cwd: directory });
  await dev.prints('Ctrl+C stops everything');
};

const home = () => path.join(directory, 'home');
const workerPids = (): number[] =>
  readdirSync(path.join(home(), 'tasks')).flatMap((id) => {
    const file = path.join(home(), 'tasks', id, 'task.json');
    return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8')).process.pid] : [];
  });
/** Returns false also for a zombie: an ended process that waits for its parent. */
const runs = (pid: number) => processStart(pid) !== undefined;

const shownJob = z.object({
  attempts: z.number(),
  progress: z.object({ fraction: z.number() }).nullable(),
  assignments: z.array(z.object({ completed_at: z.string().nullable() })),
});
const readJob = async (id: number) => {
  const { apiKey } = JSON.parse(await readFile(path.join(home(), 'credentials.json'), 'utf8'));
  const response = await fetch(`${api}/api/jobs/${id}`, { headers: { 'x-api-key': apiKey } });
  const { job } = z.object({ job: shownJob }).parse(await response.json());
  return job;
};

// The first attempt writes its process id and never ends; later attempts succeed.
const slow = `
import { existsSync, writeFileSync } from 'node:fs';
const { JOB_ID, OUTPUT_DIR } = process.env;
const marker = 'first-' + JOB_ID;
if (!existsSync(marker)) {
  writeFileSync(marker, String(process.pid));
  console.error('PROGRESS: 0.5 half way');
  setInterval(() => {}, 1000);
} else {
  writeFileSync(OUTPUT_DIR + '/done.txt', 'done by the second attempt');
  console.log(JSON.stringify({ answer: 42 }));
}
`;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-e2e-'));
  env = { REEFGUIDE_HOME: home(), XDG_CONFIG_HOME: path.join(directory, 'config'), NO_COLOR: '1' };
  await mkdir(path.join(directory, 'configs/job-types'), { recursive: true });
  await writeFile(
    path.join(directory, 'configs/job-types/slow.json'),
    JSON.stringify({
      name: 'SLOW',
      input: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false },
      result: { type: 'object', properties: { answer: { type: 'number' } }, required: ['answer'] },
    }),
  );
  await writeFile(path.join(directory, 'slow.mjs'), slow);
  const scaling = { min: 0, max: 2, factor: 1, sensitivity: 1, cooldownSeconds: 0 };
  await writeFile(
    path.join(directory, 'configs/local-workers.json'),
    JSON.stringify({
      workers: [
        {
          name: 'slow',
          jobTypes: ['SLOW'],
          command: ['worker', '--types', 'SLOW', '--exec', 'node slow.mjs'],
          scaling,
        },
        { name: 'test', jobTypes: ['TEST'], command: ['worker', '--types', 'TEST'], scaling },
      ],
    }),
  );
  const [port, orchestrator, processor] = [await freePort(), await freePort(), await freePort()];
  api = `http://127.0.0.1:${port}`;
  ports = ['--port', String(port), '--orchestrator-port', String(orchestrator), '--processor-port', String(processor)];
  await startDev();
});

afterAll(async () => {
  dev.child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

const submitSlow = async (n: number): Promise<number> => {
  const { stdout, stderr, code } = await cli('jobs', 'submit', 'SLOW', '--input', JSON.stringify({ n }), '--json');
  if (code !== 0) throw new Error(stdout + stderr);
  return JSON.parse(stdout).jobId;
};

describe('dev', () => {
  it('runs a TEST job that the command line submits and watches', async () => {
    const { code, stdout } = await cli('jobs', 'submit', 'TEST', '--input', '{"id": 1}', '--watch');
    expect([code, stdout.trim()]).toEqual([0, expect.stringMatching(/^Job \d+ SUCCEEDED$/)]);
    const status = await cli('capacity', 'status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({
      lastError: null,
      groups: [{ lastError: null }, { lastError: null, running: 1 }],
    });
  });

  it('requeues the job of a killed worker within two seconds, and the job succeeds', async () => {
    const id = await submitSlow(1);
    const marker = path.join(directory, `first-${id}`);
    await until(() => existsSync(marker) && readFileSync(marker, 'utf8') !== '');
    await until(async () => (await readJob(id)).progress?.fraction === 0.5);
    const program = Number(readFileSync(marker, 'utf8'));
    const killed = performance.now();
    for (const pid of workerPids()) process.kill(pid, 'SIGKILL');
    await until(async () => (await readJob(id)).assignments[0]?.completed_at !== null);
    expect(performance.now() - killed).toBeLessThan(2_000);
    const watched = await cli('jobs', 'watch', String(id));
    expect(watched.code).toBe(0);
    expect((await readJob(id)).attempts).toBe(2);
    expect(runs(program)).toBe(false);
    const output = path.join(directory, 'results');
    expect((await cli('jobs', 'download', String(id), '--output', output)).code).toBe(0);
    expect(await readFile(path.join(output, 'done.txt'), 'utf8')).toBe('done by the second attempt');
  });

  it('after a kill -9 starts again with its data and ends orphaned processes, and the job succeeds', async () => {
    const id = await submitSlow(2);
    const marker = path.join(directory, `first-${id}`);
    await until(() => existsSync(marker) && readFileSync(marker, 'utf8') !== '');
    const orphans = [...workerPids(), Number(readFileSync(marker, 'utf8'))];
    dev.child.kill('SIGKILL');
    await dev.finished;
    await startDev();
    await until(() => orphans.every((pid) => !runs(pid)));
    expect((await cli('jobs', 'watch', String(id))).code).toBe(0);
  });

  it('refuses a second local system in the same home', async () => {
    const { code, stderr } = await runProgram(['dev', ...ports], { env, cwd: directory });
    expect(code).toBe(1);
    expect(stderr).toContain('The local system runs already');
    expect(stderr).not.toContain('    at ');
  });

  it('exits with 0 within ten seconds of SIGTERM and leaves no process', async () => {
    const pids = workerPids();
    const began = performance.now();
    dev.child.kill('SIGTERM');
    expect((await dev.finished).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(pids.filter(runs)).toEqual([]);
    expect(existsSync(path.join(home(), 'postgres/data/postmaster.pid'))).toBe(false);
  });
});
