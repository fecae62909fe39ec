import { describe, expect, it } from '@jest/globals';
import {
  type Found,
  isPlainName,
  type MergedFile,
  mergeSources,
  modeOf,
  planWrites,
  refusedPath,
  type SourceFile,
} from '../../../../src/deployment/repository/plan.js';

const file = (path: string, text = path, executable = false): SourceFile => ({
  kind: 'file',
  path,
  content: Buffer.from(text),
  executable,
});
const merged = (path: string, text = 'new', mode = 0o644): MergedFile => ({
  path,
  content: Buffer.from(text),
  mode,
  from: 'stage',
});
const there = (text: string, mode = 0o644): Found => ({
  kind: 'file',
  content: Buffer.from(text),
  mode,
});
const none: Found = { kind: 'none', missingFolders: [] };

describe('isPlainName', () => {
  it.each(['dev', 'feature-1', 'v1.2', '_x', 'réef'])('%j is one', (name) => expect(isPlainName(name)).toBe(true));
  it.each(['', '.', '..', '.git', '-x', 'a/b', 'a\\b', 'a b', 'a\nb', '../x', 'a\0'])('%j is none', (name) =>
    expect(isPlainName(name)).toBe(false),
  );
});

describe('refusedPath', () => {
  it.each(['a', '.env', 'configs/x.json', '.github/workflows/a.yml', '.gitignore', 'a..b/c', 'x/env.json', '.gitx/a'])(
    'takes %j',
    (path) => expect(refusedPath(path)).toBeUndefined(),
  );
  it.each([
    ['../a', 'leads out'],
    ['a/../../b', 'leads out'],
    ['/etc/x', 'leads out'],
    ['a//b', 'leads out'],
    ['', 'leads out'],
    ['.git/config', "git's own"],
    ['.GIT/config', "git's own"],
    ['a/.Git', "git's own"],
    ['.git./x', "git's own"],
    ['GIT~1/x', "git's own"],
    ['.g\u200cit/x', "git's own"],
    ['a\\b', 'backslash'],
    ['a\u001b[31m', 'control character'],
    ['a:b', 'colon'],
    ['env.json', 'repository'],
    ['ENV.json', 'repository'],
    ['.reefguide-config/journal.json', 'its own files'],
  ])('refuses %j', (path, reason) => expect(refusedPath(path)).toContain(reason));
});

describe('modeOf', () => {
  it.each<[string, boolean, number]>([
    ['a', false, 0o644],
    ['a', true, 0o755],
    ['.env', false, 0o600],
    ['web/.env.production', true, 0o600],
    ['.environment/a', false, 0o644],
  ])('%s, executable %s: %d', (path, executable, mode) => expect(modeOf(path, executable)).toBe(mode));
});

describe('mergeSources', () => {
  it('lets the stage win over base, and sorts by path', () => {
    const { files, refused } = mergeSources([file('b', 'base'), file('a', 'base')], [file('b', 'stage'), file('.c')]);
    expect(refused).toEqual([]);
    expect(files.map(({ path, from, content }) => [path, from, content.toString()])).toEqual([
      ['.c', 'stage', '.c'],
      ['a', 'base', 'base'],
      ['b', 'stage', 'stage'],
    ]);
  });

  it.each<[string, SourceFile[], SourceFile[], string, string]>([
    ['a link', [{ kind: 'link', path: 'a' }], [], 'base/a', 'symbolic link'],
    ['a link that the stage hides', [{ kind: 'link', path: 'a' }], [file('a')], 'base/a', 'symbolic link'],
    ['a pipe', [], [{ kind: 'special', path: 'a' }], 'stage/a', 'neither'],
    ['a path of git', [], [file('.git/hooks/post-checkout')], 'stage/.git/hooks/post-checkout', "git's own"],
    ['a file below a file', [file('a')], [file('a/b')], 'stage/a/b', 'as well as a folder'],
    ['a name for a terminal', [file('a\u001b]0;x')], [], 'base/a?]0;x', 'control character'],
  ])('refuses %s', (_, base, stage, path, message) => {
    expect(mergeSources(base, stage).refused).toEqual([{ path, message: expect.stringContaining(message) }]);
  });
});

describe('planWrites', () => {
  const plan = (one: MergedFile, found: Found, options: { tracked?: string[]; force?: boolean } = {}) =>
    planWrites([one], new Map([[one.path, found]]), {
      tracked: new Set(options.tracked),
      force: options.force ?? false,
    });

  it.each<[string, MergedFile, Found, string]>([
    ['no file', merged('a'), none, 'new'],
    ['the same content', merged('a'), there('new'), 'same'],
    ['other content', merged('a'), there('old'), 'changed'],
    ['the same, to be executable', merged('a', 'new', 0o755), there('new'), 'changed'],
    ['the same, no longer executable', merged('a'), there('new', 0o755), 'changed'],
    ['the same under another umask', merged('a'), there('new', 0o600), 'same'],
    ['a secret that others may read', merged('.env', 'new', 0o600), there('new', 0o640), 'changed'],
    ['a secret that others may not read', merged('.env', 'new', 0o600), there('new', 0o100600), 'same'],
    [
      'a system without modes',
      merged('.env', 'new', 0o600),
      { kind: 'file', content: Buffer.from('new'), mode: undefined },
      'same',
    ],
  ])('%s', (_, one, found, state) => {
    const { files, writes } = plan(one, found);
    expect(files).toEqual([{ path: one.path, state, from: 'stage' }]);
    expect(writes).toHaveLength(state === 'same' ? 0 : 1);
  });

  it.each<[string, Found, string]>([
    ['a folder', { kind: 'folder' }, 'is a folder'],
    ['a link', { kind: 'link' }, 'symbolic link'],
    ['a pipe', { kind: 'special' }, 'no ordinary file'],
    ['something behind a link', { kind: 'behind', folder: 'x', what: 'link' }, 'its folder x is a symbolic link'],
    ['something below a file', { kind: 'behind', folder: 'x', what: 'file' }, 'its folder x is a file'],
  ])('refuses %s, even with force', (_, found, message) => {
    const { refused, writes } = plan(merged('x/a'), found, { force: true });
    expect([refused, writes]).toEqual([[{ path: 'x/a', message: expect.stringContaining(message) }], []]);
  });

  it.each<[string, Found, boolean, string[]]>([
    ['changed', there('old'), false, ['a']],
    ['changed with force', there('old'), true, []],
    ['the same', there('new'), false, []],
    ['deleted here', none, false, []],
  ])('a tracked file that is %s', (_, found, force, tracked) => {
    expect(plan(merged('a'), found, { tracked: ['a'], force }).tracked).toEqual(tracked);
  });
});
