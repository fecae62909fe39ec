import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort, runProgram } from '../support/program.js';

let directory: string;
let postgres: TestPostgres;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-errors-'));
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

const run = (args: string[], env: Record<string, string> = {}) =>
  runProgram(args, {
    cwd: directory,
    env: { REEFGUIDE_HOME: path.join(directory, 'home'), LOG_LEVEL: 'fatal', ...env },
  });

/** Expects one to four lines without a stack, and exit code 1. */
function expectClear({ code, stderr }: { code: number | null; stderr: string }, ...texts: (string | RegExp)[]) {
  for (const text of texts) expect(stderr).toMatch(text);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(4);
  expect(code).toBe(1);
}

const occupy = (port: number): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
  });

describe('serve at a failed start', () => {
  it('names a port in use', async () => {
    const port = await freePort();
    const server = await occupy(port);
    const result = await run(['serve', '--port', String(port)], { DATABASE_URL: postgres.url });
    server.close();
    expectClear(result, `Port ${port} on 127.0.0.1 is in use`, 'choose another port');
  });

  it('reports a wrong password in DATABASE_URL without showing the password', async () => {
    const url = new URL(postgres.url);
    url.password = 'wrong-password';
    const result = await run(['serve', '--port', '0'], { DATABASE_URL: url.href });
    expectClear(result, 'refuses the user or the password');
    expect(result.stderr).not.toContain('wrong-password');
  });

  it('reports a database that does not answer', async () => {
    const result = await run(['serve', '--port', '0'], {
      DATABASE_URL: `postgresql://a:b@127.0.0.1:${await freePort()}/x`,
    });
    expectClear(result, 'does not answer');
  });

  it('reports a missing database', async () => {
    const url = new URL(postgres.url);
    url.pathname = '/nowhere';
    expectClear(await run(['serve', '--port', '0'], { DATABASE_URL: url.href }), 'no such database');
  });

  it('requires DATABASE_URL in production', async () => {
    expectClear(await run(['serve', '--port', '0'], { NODE_ENV: 'production' }), 'DATABASE_URL is not set');
  });

  it('names a REEFGUIDE_HOME that cannot be written', async () => {
    const file = path.join(directory, 'a-file');
    await writeFile(file, '');
    expectClear(await run(['serve', '--port', '0'], { REEFGUIDE_HOME: path.join(file, 'home') }), /a-file/);
  });

  it('names a REEFGUIDE_HOME that cannot be created, also when the system answers ENOENT', async () => {
    if (!existsSync('/proc/self')) return expect(process.platform).not.toBe('linux');
    expectClear(await run(['serve', '--port', '0'], { REEFGUIDE_HOME: '/proc/nope' }), '/proc/nope');
  });

  it('names every invalid variable of the environment without its value', async () => {
    const { code, stderr } = await run(['serve'], { DATABASE_URL: 'mysql://secret-value', JWT_EXPIRES_IN: 'soon' });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/DATABASE_URL[\s\S]*JWT_EXPIRES_IN/)]);
    expect(stderr).not.toContain('secret-value');
  });

  it('names an invalid file of configs/job-types with the reason', async () => {
    await mkdir(path.join(directory, 'configs/job-types'), { recursive: true });
    const file = path.join(directory, 'configs/job-types/bad.json');
    await writeFile(file, '{ "name": "lower", "input": {} }');
    const result = await run(['serve', '--port', '0'], { DATABASE_URL: postgres.url });
    await rm(file);
    expectClear(result, 'bad.json', 'upper-case');
  });
});

describe('db reset', () => {
  it('fails without a terminal to confirm on, and names the flag that confirms', async () => {
    expectClear(await run(['db', 'reset'], { DATABASE_URL: postgres.url }), '--force');
  });
});
