import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort, type RunningProgram, runProgram, startProgram } from '../support/program.js';

let folder: string;
let postgres: TestPostgres;
let server: RunningProgram;
let api: string;

const admin = { email: 'Admin@example.org', password: 'an admin password' };
const run = (args: string[], env: Record<string, string> = {}, stdin?: string) =>
  runProgram(args, {
    cwd: folder,
    env: {
      REEFGUIDE_HOME: path.join(folder, 'home'),
      XDG_CONFIG_HOME: path.join(folder, 'config'),
      NO_COLOR: '1',
      DATABASE_URL: postgres.url,
      ...env,
    },
    ...(stdin === undefined ? {} : { stdin }),
  });

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'reefguide-commands-'));
  postgres = await startPostgres();
});
afterAll(async () => {
  server?.child.kill('SIGKILL');
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('db', () => {
  it('status exits with 1 and lists what is pending in a new database', async () => {
    const { code, stdout, stderr } = await run(['db', 'status']);
    expect([code, stdout, stderr]).toEqual([
      1,
      expect.stringMatching(/^pending .*_initial$/m),
      expect.stringContaining('db migrate'),
    ]);
  });

  it('migrate run by two at once applies each migration once', async () => {
    const both = await Promise.all([run(['db', 'migrate', '--json']), run(['db', 'migrate', '--json'])]);
    const applied = both.flatMap(({ stdout }) => JSON.parse(stdout).applied);
    expect(applied).toEqual([...new Set(applied)]);
    expect(applied.length).toBeGreaterThan(0);
    expect((await run(['db', 'status'])).code).toBe(0);
  });

  it('seed makes the accounts that the environment names, and again without harm', async () => {
    const env = { ADMIN_USERNAME: admin.email, ADMIN_PASSWORD: admin.password };
    const twice = [await run(['db', 'seed', '--json'], env), await run(['db', 'seed', '--json'], env)];
    for (const { stdout } of twice)
      expect(JSON.parse(stdout)).toEqual({ seeded: [{ email: admin.email, role: 'ADMIN' }] });
  });
});

describe('with a server', () => {
  beforeAll(async () => {
    const port = await freePort();
    api = `http://127.0.0.1:${port}`;
    server = startProgram(['serve', '--port', String(port)], {
      cwd: folder,
      env: { REEFGUIDE_HOME: path.join(folder, 'home'), DATABASE_URL: postgres.url },
    });
    await server.prints('the API listens');
  });

  it('login saves a profile of mode 0600 without the password, which other commands use until logout', async () => {
    const login = await run(
      ['login', '--api', api, '--email', 'admin@example.org', '--password-stdin'],
      {},
      `${admin.password}\n`,
    );
    expect([login.code, login.stderr]).toEqual([0, '']);
    const file = path.join(folder, 'config/reefguide/profile.json');
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

  it('submits input from a file and from standard input, and an unknown file is one clear message', async () => {
    await run(['login', '--api', api, '--email', admin.email, '--password-stdin'], {}, admin.password);
    await writeFile(path.join(folder, 'payload.json'), '{"id": 7}');
    const fromFile = await run(['jobs', 'submit', 'TEST', '--input', '@payload.json', '--json']);
    const fromStdin = await run(['jobs', 'submit', 'TEST', '--input', '-', '--json'], {}, '{"id": 7}');
    expect(JSON.parse(fromStdin.stdout)).toMatchObject({ jobId: JSON.parse(fromFile.stdout).jobId, cached: true });
    const missing = await run(['jobs', 'submit', 'TEST', '--input', '@nothing.json']);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('there is no such file')]);
  });

  it('lists, shows and cancels jobs, for people and as JSON', async () => {
    const { stdout } = await run(['jobs', 'submit', 'TEST', '--input', '{"id": 8}', '--json']);
    const { jobId } = JSON.parse(stdout);
    expect((await run(['jobs', 'list', '--status', 'PENDING'])).stdout).toMatch(
      new RegExp(`^${jobId} +TEST +PENDING .* ago`, 'm'),
    );
    expect((await run(['jobs', 'show', String(jobId)])).stdout).toMatch(/^Status +PENDING$/m);
    expect((await run(['jobs', 'cancel', String(jobId)])).stdout).toContain('CANCELLED');
    const watched = await run(['jobs', 'watch', String(jobId), '--json']);
    expect([watched.code, JSON.parse(watched.stdout).job.status]).toEqual([1, 'CANCELLED']);
    expect((await run(['jobs', 'cancel', 'x'])).code).toBe(2);
  });

  it('a worker serves its jobs and leaves when it is idle', async () => {
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
    expect(await readFile(path.join(folder, 'got/hello.txt'), 'utf8')).toBe('hello\n');
  });
});

describe('keys local', () => {
  it('writes a pair that dotenv reads back, keeps other lines, and replaces keys only with --force', async () => {
    const file = path.join(folder, '.env');
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
  it('with --force makes the database new', async () => {
    expect((await run(['db', 'reset', '--force'])).stdout).toContain('Reset the database');
    expect((await run(['db', 'status'])).code).toBe(0);
  });
});
