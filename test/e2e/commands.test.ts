import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort, type RunningProgram, runProgram, startProgram } from '../support/program.js';

let directory: string;
let postgres: TestPostgres;
let server: RunningProgram;
let api: string;

const admin = { email: 'Admin@example.org', password: 'an admin password' };
const run = (args: string[], env: Record<string, string> = {}, stdin?: string) =>
  runProgram(args, {
    cwd: directory,
    env: {
      REEFGUIDE_HOME: path.join(directory, 'home'),
      XDG_CONFIG_HOME: path.join(directory, 'config'),
      NO_COLOR: '1',
      DATABASE_URL: postgres.url,
      ...env,
    },
    ...(stdin === undefined ? {} : { stdin }),
  });

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-commands-'));
  postgres = await startPostgres();
});
afterAll(async () => {
  server?.child.kill('SIGKILL');
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('db', () => {
  it('status exits with 1 and lists the pending migrations of a new database', async () => {
    const { code, stdout, stderr } = await run(['db', 'status']);
    expect([code, stdout, stderr]).toEqual([
      1,
      expect.stringMatching(/^pending .*_initial$/m),
      expect.stringContaining('db migrate'),
    ]);
  });

  it('migrate applies each migration once when two processes run it at once', async () => {
    const both = await Promise.all([run(['db', 'migrate', '--json']), run(['db', 'migrate', '--json'])]);
    const applied = both.flatMap(({ stdout }) => JSON.parse(stdout).applied);
    expect(applied).toEqual([...new Set(applied)]);
    expect(applied.length).toBeGreaterThan(0);
    expect((await run(['db', 'status'])).code).toBe(0);
  });

  it('seed creates the accounts of the environment, and changes nothing the second time', async () => {
    const env = { ADMIN_USERNAME: admin.email, ADMIN_PASSWORD: admin.password };
    const twice = [await run(['db', 'seed', '--json'], env), await run(['db', 'seed', '--json'], env)];
    for (const { stdout } of twice)
      expect(JSON.parse(stdout)).toEqual({ seeded: [{ email: admin.email, role: 'ADMIN' }] });
  });
});

describe('commands with a server', () => {
  beforeAll(async () => {
    const port = await freePort();
    api = `http://127.0.0.1:${port}`;
    server = startProgram(['serve', '--port', String(port)], {
      cwd: directory,
      env: { REEFGUIDE_HOME: path.join(directory, 'home'), DATABASE_URL: postgres.url },
    });
    await server.prints('the API listens');
  });

  it('login saves a profile of mode 0600 without the password, for other commands until logout', async () => {
    const login = await run(
      ['login', '--api', api, '--email', 'admin@example.org', '--password-stdin'],
      {},
      `${admin.password}\n`,
    );
    expect([login.code, login.stderr]).toEqual([0, '']);
    const file = path.join(directory, 'config/reefguide/profile.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(admin.password);

    const { stdout } = await run(['whoami', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ email: admin.email, roles: ['ADMIN'], api });

    expect((await run(['logout'])).stdout).toContain('Logged out');
    expect((await run(['whoami'])).code).toBe(1);
  });

  it('login with a wrong password exits with 1 and saves nothing', async () => {
    const { code, stderr } = await run(
      ['login', '--api', api, '--email', admin.email, '--password-stdin'],
      {},
      'wrong',
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('Invalid credentials')]);
  });

  it('jobs submit reads the input from a file and from standard input', async () => {
    await run(['login', '--api', api, '--email', admin.email, '--password-stdin'], {}, admin.password);
    await writeFile(path.join(directory, 'payload.json'), '{"id": 7}');
    const fromFile = await run(['jobs', 'submit', 'TEST', '--input', '@payload.json', '--json']);
    const fromStdin = await run(['jobs', 'submit', 'TEST', '--input', '-', '--json'], {}, '{"id": 7}');
    expect(JSON.parse(fromStdin.stdout)).toMatchObject({ jobId: JSON.parse(fromFile.stdout).jobId, cached: true });
  });

  it('jobs list, show, cancel and watch print text and JSON', async () => {
    const { stdout } = await run(['jobs', 'submit', 'TEST', '--input', '{"id": 8}', '--json']);
    const { jobId } = JSON.parse(stdout);
    expect((await run(['jobs', 'list', '--status', 'PENDING'])).stdout).toMatch(
      new RegExp(`^${jobId} +TEST +PENDING .* ago`, 'm'),
    );
    expect((await run(['jobs', 'show', String(jobId)])).stdout).toMatch(/^Status +PENDING$/m);
    expect((await run(['jobs', 'cancel', String(jobId)])).stdout).toContain('CANCELLED');
    const watched = await run(['jobs', 'watch', String(jobId), '--json']);
    expect([watched.code, JSON.parse(watched.stdout).job.status]).toEqual([1, 'CANCELLED']);
  });

  it('worker runs its jobs and exits when idle', async () => {
    const { stdout } = await run(['jobs', 'submit', 'DATA_SPECIFICATION_UPDATE', '--input', '{}', '--json']);
    const { jobId } = JSON.parse(stdout);
    const worker = await run(
      [
        'worker',
        '--types',
        'DATA_SPECIFICATION_UPDATE',
        '--exec',
        'echo hello > "$OUTPUT_DIR/hello.txt"',
        '--idle-timeout',
        '500ms',
      ],
      { API_ENDPOINT: api, API_USERNAME: admin.email, API_PASSWORD: admin.password },
    );
    expect(worker.code).toBe(0);
    expect((await run(['jobs', 'watch', String(jobId)])).code).toBe(0);
    const { stdout: files } = await run(['jobs', 'download', String(jobId), '--json', '--output', 'got']);
    expect(JSON.parse(files)).toEqual({ files: [{ path: 'got/hello.txt', bytes: 6 }] });
    expect(await readFile(path.join(directory, 'got/hello.txt'), 'utf8')).toBe('hello\n');
  });
});

describe('keys local', () => {
  it('writes a pair that dotenv reads, keeps other lines, and replaces keys only with --force', async () => {
    const file = path.join(directory, '.env');
    await writeFile(file, 'OTHER=1\n');
    expect((await run(['keys', 'local'])).code).toBe(0);
    const first = parse(await readFile(file, 'utf8'));
    expect(first).toMatchObject({
      OTHER: '1',
      JWT_PRIVATE_KEY: expect.stringMatching(/^-----BEGIN PRIVATE KEY-----\n/),
    });
    expect((await run(['keys', 'local'])).stderr).toContain('--force');
    expect((await run(['keys', 'local', '--force'])).code).toBe(0);
    expect(parse(await readFile(file, 'utf8')).JWT_KEY_ID).not.toBe(first.JWT_KEY_ID);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe('db reset', () => {
  it('deletes the data with --force and applies the migrations', async () => {
    expect((await run(['db', 'reset', '--force'])).stdout).toContain('Reset the database');
    expect((await run(['db', 'status'])).code).toBe(0);
  });
});
