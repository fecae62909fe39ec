import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const source = fileURLToPath(new URL('../../src', import.meta.url));
const tests = fileURLToPath(new URL('..', import.meta.url));

/** Directories of src from top to bottom: a directory imports from those below. */
const order = [
  'commands',
  'cli',
  'server',
  'jobs',
  'sites',
  'executions',
  'capacity',
  'events',
  'accounts',
  'audit',
  'worker',
  'client',
  'compute',
  'storage',
  'database',
  'infra',
  'deployment',
  'aws',
  'environment',
  'platform',
  'contract',
];

/** Parts of src that import, beside themselves, only from these paths. */
const importsOnly: Record<string, readonly string[]> = {
  'capacity/manager/': [
    'client/',
    'compute/provider.js',
    'compute/ecs/task-definition.js',
    'platform/backoff.js',
    'environment/',
    'contract/',
  ],
  'client/': ['platform/backoff.js', 'contract/'],
  'worker/': ['client/', 'aws/', 'platform/', 'contract/'],
  'infra/': ['deployment/', 'environment/', 'contract/'],
};

/** Paths that only these parts of src import. */
const importedOnlyBy: Record<string, readonly string[]> = {
  'commands/': [],
  'server/': ['commands/', 'cli/'],
  'deployment/build-env.js': ['commands/', 'cli/'],
};

/** Parts of src that run in a browser too, so they import no module that only Node.js has. */
const browserSafe = ['capacity/manager/', 'client/'];
const nodeOnlyFiles = ['client/node-socket.ts'];
const nodeOnlyPackages = /^(node:|ws$|pg$|express$|@prisma\/|@aws-sdk\/)/;

/** File endings that are no module of ours: generated code and type declarations. */
const isSource = (name: string) => name.endsWith('.ts') && !name.includes('generated') && !name.endsWith('.d.ts');

interface SourceFile {
  /** Path below src with `/`, for example `jobs/sql/claim.ts`. */
  name: string;
  text: string;
}

interface Import {
  from: string;
  /** Path below src, for example `jobs/sql/claim.js`; for a package its name. */
  to: string;
  isPackage: boolean;
  isType: boolean;
}

const posix = (name: string) => name.split(path.sep).join('/');
const filesBelow = (directory: string) => readdirSync(directory, { recursive: true, encoding: 'utf8' }).map(posix);
const getRoot = (name: string) => name.slice(0, name.indexOf('/') + 1) || name;

const files: SourceFile[] = filesBelow(source)
  .filter(isSource)
  .map((name) => ({ name, text: readFileSync(path.join(source, name), 'utf8') }));

const importPattern =
  /\b(import|export)(\s+type\b)?[^;'"]*?\bfrom\s*'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'/gm;
const imports: Import[] = files.flatMap(({ name, text }) =>
  [...text.matchAll(importPattern)].map(([, , type, from, dynamic, bare]) => {
    const target = from ?? dynamic ?? bare ?? '';
    const isPackage = !target.startsWith('.');
    const to = isPackage ? target : path.posix.join(path.posix.dirname(name), target);
    return { from: name, to, isPackage, isType: type !== undefined };
  }),
);
const internal = imports.filter(({ isPackage }) => !isPackage);
const shown = (found: readonly Import[]) => found.map(({ from, to }) => `${from} imports ${to}`);
const startsWithAny = (name: string, prefixes: readonly string[]) => prefixes.some((prefix) => name.startsWith(prefix));

describe('imports', () => {
  it('are all found by this test', () => {
    expect(files.length).toBeGreaterThan(250);
    expect(internal.length).toBeGreaterThan(800);
    expect(internal).toContainEqual(expect.objectContaining({ from: 'server/start.ts', to: 'server/assemble.js' }));
    expect(internal).toContainEqual(expect.objectContaining({ from: 'commands/serve.ts', to: 'server/start.js' }));
  });

  it('lead to directories whose place in the order is known', () => {
    expect(
      files.map(({ name }) => getRoot(name).slice(0, -1)).filter((directory) => !order.includes(directory)),
    ).toEqual([]);
  });

  it('run from top to bottom', () => {
    const place = (name: string) => order.indexOf(getRoot(name).slice(0, -1));
    expect(shown(internal.filter(({ from, to }) => place(to) < place(from)))).toEqual([]);
  });

  it('stay inside src', () => {
    expect(shown(internal.filter(({ to }) => to.startsWith('..')))).toEqual([]);
  });

  it.each(Object.entries(importsOnly))('of %s lead to %j alone', (part, allowed) => {
    const outOfBounds = internal.filter(
      ({ from, to }) =>
        from.startsWith(part) && !nodeOnlyFiles.includes(from) && !startsWithAny(to, [part, ...allowed]),
    );
    expect(shown(outOfBounds)).toEqual([]);
  });

  it.each(Object.entries(importedOnlyBy))('of %s come from %j alone', (part, allowed) => {
    const root = getRoot(part);
    expect(
      shown(internal.filter(({ from, to }) => to.startsWith(part) && !startsWithAny(from, [root, ...allowed]))),
    ).toEqual([]);
  });

  it.each(browserSafe)('of %s include no module that only Node.js has', (part) => {
    const found = imports.filter(
      ({ from, to, isPackage, isType }) =>
        isPackage && !isType && from.startsWith(part) && !nodeOnlyFiles.includes(from) && nodeOnlyPackages.test(to),
    );
    expect(shown(found)).toEqual([]);
  });
});

describe('src', () => {
  it('holds no SQL in the server', () => {
    const withSql = files.filter(
      ({ name, text }) => name.startsWith('server/') && /SELECT |INSERT |UPDATE "|DELETE FROM/.test(text),
    );
    expect(withSql.map(({ name }) => name)).toEqual([]);
  });

  it('holds no SQL in capacity/ but for its store', () => {
    const withSql = files.filter(
      ({ name, text }) =>
        name.startsWith('capacity/') &&
        name !== 'capacity/store.ts' &&
        /SELECT |INSERT |UPDATE "|DELETE FROM/.test(text),
    );
    expect(withSql.map(({ name }) => name)).toEqual([]);
  });

  it('holds no file over 300 lines', () => {
    const lengths = files.map(({ name, text }) => ({ name, lines: text.split('\n').length - 1 }));
    expect(lengths.filter(({ lines }) => lines > 300)).toEqual([]);
  });
});

const getDirectory = (name: string) => path.posix.dirname(name);

function grouped(names: readonly string[], key: (name: string) => string): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(key(name), [...(groups.get(key(name)) ?? []), name]);
  return [...groups];
}

describe.each([
  ['src', files.map(({ name }) => name)],
  ['test', filesBelow(tests).filter((name) => /\.(ts|js)$/.test(name))],
])('%s: directories', (_, names) => {
  it('hold at most 24 files each', () => {
    const crowded = grouped(names, getDirectory).filter(([, members]) => members.length > 24);
    expect(crowded.map(([directory, members]) => `${directory}: ${members.length}`)).toEqual([]);
  });

  it('hold no five files whose names share their first word', () => {
    const families = grouped(
      names.filter((name) => path.posix.basename(name).includes('-')),
      (name) => `${getDirectory(name)}/${path.posix.basename(name).split('-')[0]}-`,
    ).filter(([, members]) => members.length >= 5);
    expect(families.map(([family, members]) => `${family}: ${members.length}`)).toEqual([]);
  });
});

describe('test', () => {
  it('mirrors the directories of src', () => {
    const directories = new Set(
      files.flatMap(({ name }) => [getDirectory(name), getDirectory(getDirectory(name)), getRoot(name)]),
    );
    const elsewhere = filesBelow(tests)
      .filter((name) => /^(unit|integration)\/.*\.test\.ts$/.test(name))
      .map((name) => name.split('/').slice(1, -1).join('/'))
      .filter(
        (directory) => directory !== '' && directory !== '.' && directory !== 'examples' && !directories.has(directory),
      );
    expect([...new Set(elsewhere)]).toEqual([]);
  });

  it('starts no program and opens no server in unit tests', () => {
    const found = filesBelow(tests)
      .filter((name) => name.startsWith('unit/') && name.endsWith('.ts') && name !== 'unit/architecture.test.ts')
      .filter((name) =>
        /'node:(child_process|http|https|net|cluster)'|\bTemplate\.from|support\/(service|database|program|sockets|templates|postgres)\.js/.test(
          readFileSync(path.join(tests, name), 'utf8'),
        ),
      );
    expect(found).toEqual([]);
  });
});
