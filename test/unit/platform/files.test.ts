import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  createDirectory,
  createFileExclusively,
  readJson,
  readOrCreate,
  savePrivateFile,
  writeFileAtomically,
} from '../../../src/platform/files.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-files-'));
});
afterEach(() => rm(directory, { recursive: true }));

const at = (name: string) => path.join(directory, name);
const modeOfFile = async (name: string) => (await stat(at(name))).mode & 0o777;

describe('writeFileAtomically', () => {
  it('replaces the content and sets the mode whatever the umask is', async () => {
    await writeFile(at('a'), 'old', { mode: 0o600 });
    const umask = process.umask(0o077);
    try {
      await writeFileAtomically(at('a'), 'new', 0o644);
    } finally {
      process.umask(umask);
    }
    expect([await readFile(at('a'), 'utf8'), await modeOfFile('a')]).toEqual(['new', 0o644]);
  });

  it('removes its temporary file when the target cannot be replaced', async () => {
    await mkdir(at('directory'));
    await expect(writeFileAtomically(at('directory'), 'x', 0o600)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await readdir(directory)).toEqual(['directory']);
  });
});

describe('createFileExclusively', () => {
  it('lets one of several callers create the file', async () => {
    const created = await Promise.all([1, 2, 3, 4].map((n) => createFileExclusively(at('a'), `${n}`, 0o600)));
    expect(created.filter(Boolean)).toHaveLength(1);
    expect(await readFile(at('a'), 'utf8')).toBe(String(created.indexOf(true) + 1));
    expect(await readdir(directory)).toEqual(['a']);
  });
});

describe('readOrCreate', () => {
  it('gives all callers the content that one of them created, readable by the owner alone', async () => {
    let count = 0;
    const read = await Promise.all([1, 2, 3].map(() => readOrCreate(at('keys/a'), async () => `key ${++count}`)));
    expect(new Set(read).size).toBe(1);
    expect(await readOrCreate(at('keys/a'), async () => 'another')).toBe(read[0]);
    expect(await modeOfFile('keys/a')).toBe(0o600);
  });
});

describe('savePrivateFile', () => {
  it('creates the directories and a file of mode 0600', async () => {
    await savePrivateFile(at('a/b/c'), 'secret');
    expect([await readFile(at('a/b/c'), 'utf8'), await modeOfFile('a/b/c')]).toEqual(['secret', 0o600]);
  });

  it('throws an error that names the file and the reason', async () => {
    await writeFile(at('a'), '');
    await expect(savePrivateFile(at('a/b'), '')).rejects.toMatchObject({
      message: `Cannot write ${at('a/b')}: a part of the path is a file`,
      hint: expect.any(String),
    });
  });
});

describe('readJson', () => {
  const schema = z.object({ port: z.number() });

  it.each([
    ['{"port": 1}', { port: 1 }],
    ['{"port": "1"}', undefined],
    ['{"port"', undefined],
  ])('reads %j as %j', async (text, expected) => {
    await writeFile(at('a.json'), text);
    expect(await readJson(at('a.json'), schema)).toEqual(expected);
  });

  it('returns undefined for a missing file and throws when the file cannot be read', async () => {
    expect(await readJson(at('missing.json'), schema)).toBeUndefined();
    await expect(readJson(directory, schema)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

describe('createDirectory', () => {
  it('creates missing parents and accepts an existing directory', async () => {
    await createDirectory(at('a/b/c'));
    await createDirectory(at('a/b/c'));
    expect((await stat(at('a/b/c'))).isDirectory()).toBe(true);
  });

  it.each(['/proc/reefguide/a', '/dev/null/a'])(
    'throws instead of looping where mkdir always fails: %s',
    async (name) => {
      await expect(createDirectory(name)).rejects.toMatchObject({
        code: expect.stringMatching(/^(ENOENT|ENOTDIR|EACCES)$/),
      });
    },
  );
});
