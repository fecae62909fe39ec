import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort, runProgram } from '../support/program.js';

let folder: string;
let postgres: TestPostgres;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'reefguide-errors-'));
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (args: string[], env: Record<string, string> = {}) =>
  runProgram(args, { cwd: folder, env: { REEFGUIDE_HOME: path.join(folder, 'home'), LOG_LEVEL: 'fatal', ...env } });

/** One or two lines for a person, no stack, and exit code 1. */
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

describe('serve says in one clear message', () => {
  it('that a port is in use', async () => {
    const port = await freePort();
    const server = await occupy(port);
    const result = await run(['serve', '--port', String(port)], { DATABASE_URL: postgres.url });
    server.close();
    expectClear(result, `Port ${port} on 127.0.0.1 is in use`, 'choose another port');
  });

  it('that the password in DATABASE_URL is wrong, without showing it', async () => {
    const url = new URL(postgres.url);
    url.password = 'wrong-password';
    const result = await run(['serve', '--port', '0'], { DATABASE_URL: url.href });
    expectClear(result, 'refuses the user or the password');
    expect(result.stderr).not.toContain('wrong-password');
  });

  it('that the database does not answer', async () => {
    const result = await run(['serve', '--port', '0'], {
      DATABASE_URL: `postgresql://a:b@127.0.0.1:${await freePort()}/x`,
    });
    expectClear(result, 'does not answer');
  });

  it('that there is no such database', async () => {
    const url = new URL(postgres.url);
    url.pathname = '/nowhere';
    expectClear(await run(['serve', '--port', '0'], { DATABASE_URL: url.href }), 'no such database');
  });

  it('that production needs DATABASE_URL', async () => {
    expectClear(await run(['serve', '--port', '0'], { NODE_ENV: 'production' }), 'DATABASE_URL is not set');
  });

  it('that REEFGUIDE_HOME cannot be written', async () => {
    const file = path.join(folder, 'a-file');
    await writeFile(file, '');
    expectClear(await run(['serve', '--port', '0'], { REEFGUIDE_HOME: path.join(file, 'home') }), /a-file/);
  });

  it('that REEFGUIDE_HOME cannot be made, also where the system only says that it is not there', async () => {
    if (!existsSync('/proc/self')) return console.log('no /proc here');
    expectClear(await run(['serve', '--port', '0'], { REEFGUIDE_HOME: '/proc/nope' }), '/proc/nope');
  });

  it('every variable of the environment that is wrong, by its name and never its value', async () => {
    const { code, stderr } = await run(['serve'], { DATABASE_URL: 'mysql://secret-value', JWT_EXPIRES_IN: 'soon' });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/DATABASE_URL[\s\S]*JWT_EXPIRES_IN/)]);
    expect(stderr).not.toContain('secret-value');
  });

  it('which file of configs/job-types is bad, and why', async () => {
    const { mkdir } = await import('node:fs/promises');
    await mkdir(path.join(folder, 'configs/job-types'), { recursive: true });
    const file = path.join(folder, 'configs/job-types/bad.json');
    await writeFile(file, '{ "name": "lower", "input": {} }');
    const result = await run(['serve', '--port', '0'], { DATABASE_URL: postgres.url });
    await rm(file);
    expectClear(result, 'bad.json', 'upper-case');
  });
});

describe('a command', () => {
  it('with a wrong flag exits with 2', async () => {
    expect((await run(['jobs', 'list', '--nonsense'])).code).toBe(2);
  });

  it('without an API to talk to says how to get one', async () => {
    const result = await run(['jobs', 'list'], { XDG_CONFIG_HOME: path.join(folder, 'config') });
    expectClear(result, 'No API to talk to', 'reefguide dev');
  });

  it('with an API that is away says which', async () => {
    const port = await freePort();
    expectClear(await run(['jobs', 'list', '--api', `http://127.0.0.1:${port}`]), `127.0.0.1:${port} does not answer`);
  });

  it('with --json prints its error as JSON on stdout', async () => {
    const { stdout, code } = await run(['jobs', 'list', '--json', '--api', 'http://127.0.0.1:1']);
    expect([code, JSON.parse(stdout)]).toEqual([1, { error: { message: expect.stringContaining('does not answer') } }]);
  });

  it('that would delete a database elsewhere refuses', async () => {
    const result = await run(['db', 'reset', '--force'], { DATABASE_URL: 'postgresql://a:b@db.example.org/x' });
    expectClear(result, 'not on this machine', '--yes-delete-remote-data');
  });

  it('that asks a question fails without a terminal and names the flag that answers it', async () => {
    expectClear(await run(['db', 'reset'], { DATABASE_URL: postgres.url }), '--force');
  });
});
