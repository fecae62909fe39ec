import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { poll } from '../../../../src/database/embedded/poll.js';
import { killPostgresIn } from '../../../../src/database/embedded/processes.js';
import { superviseEmbeddedPostgres } from '../../../../src/database/embedded/supervise.js';
import { ownIdentity } from '../../../../src/platform/processes.js';
import {
  getDataDirectory,
  getServerPid,
  isRunning,
  query,
  settings,
  useEmbeddedFixture,
  waitUntil,
} from './fixture.js';

const fixture = useEmbeddedFixture({ withPrograms: true });

describe('acquireEmbeddedPostgres after a crash', () => {
  it('joins the server of a killed process, whose hold does not count', async () => {
    const home = await fixture.createHome();
    const child = fixture.spawnHolder(home);
    await child.next();
    const pid = getServerPid(home);
    await child.kill();
    const joined = await fixture.acquire(home);
    expect(getServerPid(home)).toBe(pid);
    await joined.release();
    expect(isRunning(pid)).toBe(false);
  });

  it('finds committed data after kill -9 of everything', async () => {
    const home = await fixture.createHome();
    const child = fixture.spawnHolder(home);
    const { url } = await child.next();
    await query(String(url), 'CREATE TABLE numbers AS SELECT 7 AS n');
    await child.kill();
    await killPostgresIn(getDataDirectory(home));
    expect(existsSync(join(getDataDirectory(home), 'postmaster.pid'))).toBe(true);
    const again = await fixture.acquire(home);
    expect(await query(again.url, 'SELECT n FROM numbers')).toEqual([7]);
  });

  it('starts beside a session that outlived its server', async () => {
    const home = await fixture.createHome();
    const first = await fixture.acquire(home);
    const [client, observer] = [await connect(first.url), await connect(first.url)];
    const backend = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    const busy = client.query('DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$').catch(() => {});
    await poll(5_000, async () => {
      const sql = `SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active'`;
      return (await observer.query(sql, [backend])).rows.length > 0 || undefined;
    });
    process.kill(getServerPid(home), 'SIGKILL');
    await waitUntil(() => !isRunning(getServerPid(home)));
    expect(isRunning(backend)).toBe(true);
    const second = await fixture.acquire(home);
    expect(isRunning(backend)).toBe(false);
    expect(await query(second.url, 'SELECT 1')).toEqual([1]);
    await busy;
  });

  it('ignores recorded pids that belong to other processes by now', async () => {
    const home = await fixture.createHome();
    const child = fixture.spawnHolder(home);
    await child.next();
    await child.kill();
    const data = getDataDirectory(home);
    await killPostgresIn(data);
    // The records name the process of this test, as if the pid of the dead processes had been reused.
    const pidFile = join(data, 'postmaster.pid');
    await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(process.pid)));
    const reused = JSON.stringify({ ...ownIdentity(), start: 'long ago' });
    await writeFile(join(home, 'postgres/lock/900'), reused);
    await writeFile(join(home, `postgres/holders/${process.pid}-1.json`), reused);
    await writeFile(join(home, 'postgres/server.json'), '{"port":');
    const again = await fixture.acquire(home);
    expect(await query(again.url, 'SELECT 1')).toEqual([1]);
    const pid = getServerPid(home);
    await again.release();
    expect(isRunning(pid)).toBe(false);
  });

  it('removes an incomplete data directory, and moves files that are no database aside', async () => {
    const home = await fixture.createHome();
    await mkdir(join(home, 'postgres/attempt-crashed/data/base'), { recursive: true });
    await writeFile(join(home, 'postgres/attempt-crashed/data/PG_VERSION'), '17\n');
    await mkdir(join(home, 'postgres/data'));
    await writeFile(join(home, 'postgres/data/file-of-the-user'), 'content');
    const lines: string[] = [];
    const hold = await fixture.acquire(home, (line) => lines.push(line));
    expect(await query(hold.url, 'SELECT 1')).toEqual([1]);
    const names = readdirSync(join(home, 'postgres'));
    expect(names.filter((name) => name.startsWith('attempt-'))).toEqual([]);
    const aside = names.find((name) => name.startsWith('data.not-a-database-')) ?? '';
    expect(readFileSync(join(home, 'postgres', aside, 'file-of-the-user'), 'utf8')).toBe('content');
    expect(lines).toContainEqual(expect.stringContaining(aside));
  });
});

describe('superviseEmbeddedPostgres', () => {
  it('starts a killed server again at the same address', async () => {
    const home = await fixture.createHome();
    const lines: string[] = [];
    const supervised = await superviseEmbeddedPostgres({ home, settings, log: (line) => lines.push(line) });
    fixture.track(supervised);
    const pid = getServerPid(home);
    await query(supervised.url, 'CREATE TABLE numbers (n int)');
    process.kill(pid, 'SIGKILL');
    const count = () => query(supervised.url, 'SELECT count(*)::int AS n FROM numbers').catch(() => undefined);
    expect(await poll(30_000, count)).toEqual([0]);
    // The server answers a moment before the supervisor has acquired a hold.
    await waitUntil(() => supervised.isRunning(), 30_000);
    expect(getServerPid(home)).not.toBe(pid);
    expect(lines).toContainEqual(expect.stringContaining('is started again'));
    await supervised.release();
    expect(existsSync(join(getDataDirectory(home), 'postmaster.pid'))).toBe(false);
  });
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}
