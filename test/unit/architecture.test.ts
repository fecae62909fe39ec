import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** From the top to the bottom: a folder imports from those below it. */
const order = [
  'commands',
  'cli',
  'server',
  'auth',
  'jobs',
  'executions',
  'events',
  'capacity',
  'compute',
  'storage',
  'database',
  'worker',
  'client',
  'config',
  'contract',
  'infra',
];

/** Folders that import from these alone. They reach the API through the client. */
const onlyFrom: Record<string, string[]> = {
  capacity: ['compute', 'client', 'config', 'contract'],
  worker: ['client', 'config', 'contract'],
  infra: ['config'],
};
/** Folders that only these import from. */
const onlyInto: Record<string, string[]> = {
  commands: [],
  server: ['commands', 'cli'],
};

interface SourceFile {
  /** Relative to src, with `/`. */
  name: string;
  folder: string;
  text: string;
}

const files: SourceFile[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.includes('generated'))
  .map((name) => {
    const parts = name.split(path.sep);
    return { name: parts.join('/'), folder: parts[0] ?? '', text: readFileSync(path.join(source, name), 'utf8') };
  });

/** Every import of a file of ours, static or dynamic, for values or for types. */
const imports = files.flatMap(({ name, folder, text }) =>
  [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'(\.{1,2}\/[^']+)'/g)].map(([, target = '']) => {
    const to = path.posix.join(path.posix.dirname(name), target);
    return { from: name, folder, to, toFolder: to.split('/')[0] ?? '' };
  }),
);
const between = imports.filter(({ folder, toFolder }) => folder !== toFolder && toFolder !== '..');
const shown = (found: { from: string; to: string }[]) => found.map(({ from, to }) => `${from} imports ${to}`);

describe('src', () => {
  it('is read as it should be', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(300);
    expect(imports).toContainEqual(expect.objectContaining({ from: 'server/service.ts', to: 'jobs/work.js' }));
    expect(imports).toContainEqual(expect.objectContaining({ from: 'commands/serve.ts', to: 'server/start.js' }));
  });

  it('has no folder whose place in the order is not known', () => {
    expect(files.map(({ folder }) => folder).filter((folder) => !order.includes(folder))).toEqual([]);
  });

  it('imports downwards', () => {
    const upward = between.filter(
      ({ folder, toFolder }) => folder !== 'infra' && order.indexOf(toFolder) < order.indexOf(folder),
    );
    expect(shown(upward)).toEqual([]);
  });

  it.each(Object.entries(onlyFrom))('%s imports from %j alone', (folder, allowed) => {
    expect(shown(between.filter((one) => one.folder === folder && !allowed.includes(one.toFolder)))).toEqual([]);
  });

  it.each(Object.entries(onlyInto))('%s is imported by %j alone', (folder, allowed) => {
    expect(shown(between.filter((one) => one.toFolder === folder && !allowed.includes(one.folder)))).toEqual([]);
  });

  it('imports nothing from outside of it', () => {
    expect(shown(imports.filter(({ toFolder }) => toFolder === '..'))).toEqual([]);
  });

  it('keeps SQL out of the server', () => {
    const withSql = files.filter(
      ({ folder, text }) => folder === 'server' && /SELECT |INSERT |UPDATE "|DELETE FROM/.test(text),
    );
    expect(withSql.map(({ name }) => name)).toEqual([]);
  });

  it('has no file of more than 350 lines', () => {
    const long = files.map(({ name, text }) => ({ name, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines > 350)).toEqual([]);
  });
});
