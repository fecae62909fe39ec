import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { findInstalledBinaries } from '../../../../src/database/embedded/binaries.js';
import { copyBinaries } from '../../../../src/database/embedded/binaries-copy.js';
import { useEmbeddedFixture } from './fixture.js';

const fixture = useEmbeddedFixture({ withPrograms: false });

describe('copyBinaries', () => {
  it('copies everything, completes a copy with missing files, and distrusts a copy that others can write to', async () => {
    const installed = findInstalledBinaries();
    const to = join(fixture.scratch, 'copy');
    expect(copyBinaries(installed, to, undefined).directory).toBe(to);
    const links = readdirSync(join(to, 'lib'), { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    expect(links.every(({ name }) => existsSync(join(to, 'lib', name)))).toBe(true);
    const missing = join(to, 'bin', 'initdb');
    await rm(missing);
    expect(copyBinaries(installed, to, undefined).directory).toBe(to);
    expect(statSync(missing).mode & 0o777).toBe(0o755);

    await chmod(to, 0o777);
    const fresh = copyBinaries(installed, to, undefined).directory;
    expect(dirname(fresh)).toBe(fixture.scratch);
    expect(basename(fresh)).toMatch(/^copy-/);
    expect(statSync(fresh).mode & 0o777).toBe(0o755);
    expect(copyBinaries(installed, to, fresh).directory).toBe(fresh);
  });
});
