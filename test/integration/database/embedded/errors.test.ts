import { chmod, chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { postgresProcessesIn } from '../../../../src/database/embedded/processes.js';
import { describeAsRoot, getDataDirectory, isRoot, nobody, query, useEmbeddedFixture } from './fixture.js';

const fixture = useEmbeddedFixture({ withPrograms: true });

describe('EmbeddedPostgresError', () => {
  it('names a home that is not writable, and REEFGUIDE_HOME', async () => {
    const home = await fixture.createHome(0o555);
    // Another user tries, because permissions do not stop root.
    const answer = await fixture.spawnHolder(home, isRoot ? nobody : {}).next();
    expect(answer).toMatchObject({ code: 'home_unwritable', message: expect.stringContaining(home) });
    expect(answer.hint).toContain('REEFGUIDE_HOME');
  });

  it('reports data of another major version, damaged data and a lost password', async () => {
    const home = await fixture.createHome();
    await (await fixture.acquire(home)).release();
    const version = join(getDataDirectory(home), 'PG_VERSION');
    const passwordFile = join(home, 'postgres/password');
    await writeFile(version, '16\n');
    await expect(fixture.acquire(home)).rejects.toMatchObject({
      code: 'data_version',
      message: expect.stringContaining('16'),
    });
    await rm(version);
    await expect(fixture.acquire(home)).rejects.toMatchObject({ code: 'data_damaged' });
    await writeFile(version, '17\n');
    if (isRoot) await chown(version, nobody.uid, nobody.gid);
    const password = await readFile(passwordFile, 'utf8');
    await writeFile(passwordFile, 'wrong');
    await expect(fixture.acquire(home)).rejects.toMatchObject({ code: 'password_mismatch' });
    expect(postgresProcessesIn(getDataDirectory(home))).toEqual([]);
    await rm(passwordFile);
    await expect(fixture.acquire(home)).rejects.toMatchObject({ code: 'password_mismatch' });
    await writeFile(passwordFile, password);
    expect(await query((await fixture.acquire(home)).url, 'SELECT 1')).toEqual([1]);
  });
});

describeAsRoot('EmbeddedPostgresError under root', () => {
  it('reports data of another user', async () => {
    const home = await fixture.createHome(0o777);
    await (await fixture.acquire(home)).release();
    for (const name of ['.', 'lock', 'holders']) await chmod(join(home, 'postgres', name), 0o777);
    const child = fixture.spawnHolder(home, { uid: 1000, gid: 1000 });
    expect(await child.next()).toMatchObject({ code: 'data_unreadable' });
  });
});
