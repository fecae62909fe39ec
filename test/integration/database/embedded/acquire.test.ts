import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { postgresProcessesIn } from '../../../../src/database/embedded/processes.js';
import { getDataDirectory, getServerPid, isRoot, isRunning, query, useEmbeddedFixture } from './fixture.js';

const fixture = useEmbeddedFixture({ withPrograms: true });

describe('acquireEmbeddedPostgres in one process', () => {
  it('creates the database at the first start, and stops the server at the last release', async () => {
    const home = await fixture.createHome();
    const hold = await fixture.acquire(home);
    const password = readFileSync(join(home, 'postgres/password'), 'utf8');
    expect(hold.url).toBe(`postgresql://postgres:${password}@127.0.0.1:${hold.port}/reefguide`);
    const values = await query(
      hold.url,
      "SELECT current_database(), split_part(version(), '.', 1), current_setting('max_connections'), current_setting('shared_buffers'), current_setting('fsync'), current_setting('listen_addresses'), current_setting('unix_socket_directories'), upper('é')",
    );
    expect(values).toEqual(['reefguide', 'PostgreSQL 17', '200', '128MB', 'off', '127.0.0.1', '', 'É']);
    expect(statSync(join(home, 'postgres/password')).mode & 0o777).toBe(0o600);
    expect(statSync(getDataDirectory(home)).mode & 0o777).toBe(0o700);
    expect(statSync(getDataDirectory(home)).uid).toBe(isRoot ? 65534 : process.getuid?.());
    const pid = getServerPid(home);
    expect(JSON.parse(readFileSync(join(home, 'postgres/server.json'), 'utf8'))).toMatchObject({
      port: hold.port,
      pid,
    });
    expect(readFileSync(join(home, 'logs/postgres.log'), 'utf8')).toContain('ready to accept connections');
    await expect(query(hold.url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });

    await hold.release();
    await hold.release();
    expect(isRunning(pid)).toBe(false);
    expect(postgresProcessesIn(getDataDirectory(home))).toEqual([]);
    expect(readdirSync(join(home, 'postgres/holders'))).toEqual([]);
  });

  it('shares one server among holds, and stops the server with the last of them', async () => {
    const home = await fixture.createHome();
    const [first, second, third] = await Promise.all([
      fixture.acquire(home),
      fixture.acquire(home),
      fixture.acquire(home),
    ]);
    expect(new Set([first.url, second.url, third.url]).size).toBe(1);
    const pid = getServerPid(home);
    await Promise.all([first.release(), third.release()]);
    expect(await query(second.url, 'SELECT 1')).toEqual([1]);
    await second.release();
    expect(isRunning(pid)).toBe(false);
  });

  it('keeps data, password and port after a restart', async () => {
    const home = await fixture.createHome();
    const first = await fixture.acquire(home);
    await query(first.url, 'CREATE TABLE numbers AS SELECT 7 AS n');
    await first.release();
    const second = await fixture.acquire(home);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT n FROM numbers')).toEqual([7]);
  });

  it('chooses another port when another program took the port', async () => {
    const home = await fixture.createHome();
    const first = await fixture.acquire(home);
    await first.release();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(first.port, '127.0.0.1', resolve));
    try {
      const second = await fixture.acquire(home);
      expect(second.port).not.toBe(first.port);
      expect(await query(second.url, 'SELECT 1')).toEqual([1]);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });
});

describe('acquireEmbeddedPostgres in several processes', () => {
  it('joins the server of another process, and keeps the server when that process leaves', async () => {
    const home = await fixture.createHome();
    const child = fixture.spawnHolder(home);
    const { url } = await child.next();
    const pid = getServerPid(home);
    const joined = await fixture.acquire(home);
    expect(joined.url).toBe(url);
    await child.release();
    expect(getServerPid(home)).toBe(pid);
    expect(await query(joined.url, 'SELECT 1')).toEqual([1]);
    await joined.release();
    expect(isRunning(pid)).toBe(false);
  });

  it('creates one database and runs one server when five processes start at once', async () => {
    const home = await fixture.createHome();
    const children = Array.from({ length: 5 }, () => fixture.spawnHolder(home));
    const answers = await Promise.all(children.map((child) => child.next()));
    expect(new Set(answers.map(({ url }) => url)).size).toBe(1);
    expect(typeof answers[0]?.url).toBe('string');
    const pid = getServerPid(home);
    await Promise.all(children.map((child) => child.release()));
    expect(isRunning(pid)).toBe(false);
  });

  it('keeps the server when Ctrl+C ends one of the processes', async () => {
    const home = await fixture.createHome();
    const child = fixture.spawnHolder(home, { detached: true });
    await child.next();
    const joined = await fixture.acquire(home);
    const ended = once(child.process, 'exit');
    if (child.process.pid !== undefined) process.kill(-child.process.pid, 'SIGINT');
    await ended;
    expect(await query(joined.url, 'SELECT 1')).toEqual([1]);
    const pid = getServerPid(home);
    await joined.release();
    expect(isRunning(pid)).toBe(false);
  });
});
