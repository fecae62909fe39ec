import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useEmbeddedFixture } from './fixture.js';

const fixture = useEmbeddedFixture({ withPrograms: true });

describe('withLock', () => {
  it('admits one process at a time, also right after a process died inside', async () => {
    const home = await fixture.createHome();
    const [directory, file] = [join(home, 'lock'), join(home, 'count')];
    await writeFile(file, '0');
    const dying = fixture.spawnCounter(directory, file, 0);
    expect(await dying.next()).toEqual({ done: true });
    expect(await dying.next()).toEqual({ inside: true });
    const counters = Array.from({ length: 4 }, () => fixture.spawnCounter(directory, file, 25));
    await dying.kill();
    await Promise.all(counters.map(async (child) => expect(await child.next()).toEqual({ done: true })));
    expect(await readFile(file, 'utf8')).toBe('100');
  });
});
