import { describe, expect, it } from '@jest/globals';
import {
  type MergedFile,
  mergeSources,
  planWrites,
  type SourceFile,
  type TargetState,
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
const existing = (text: string, mode = 0o644): TargetState => ({
  kind: 'file',
  content: Buffer.from(text),
  mode,
});
const none: TargetState = { kind: 'none', missingDirectories: [] };

describe('mergeSources', () => {
  it('prefers the stage over base and sorts by path', () => {
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
    ['a link that the stage replaces', [{ kind: 'link', path: 'a' }], [file('a')], 'base/a', 'symbolic link'],
    ['a pipe', [], [{ kind: 'special', path: 'a' }], 'stage/a', 'neither'],
    ['a path of git', [], [file('.git/hooks/post-checkout')], 'stage/.git/hooks/post-checkout', 'belongs to git'],
    ['a file below a file', [file('a')], [file('a/b')], 'stage/a/b', 'as well as a directory'],
    ['a name with a control character', [file('a\u001b]0;x')], [], 'base/a?]0;x', 'control character'],
  ])('rejects %s', (_, base, stage, path, message) => {
    expect(mergeSources(base, stage).refused).toEqual([{ path, message: expect.stringContaining(message) }]);
  });
});

describe('planWrites', () => {
  const plan = (file: MergedFile, target: TargetState, options: { tracked?: string[]; force?: boolean } = {}) =>
    planWrites([file], new Map([[file.path, target]]), {
      tracked: new Set(options.tracked),
      force: options.force ?? false,
    });

  it.each<[string, MergedFile, TargetState, string]>([
    ['no file', merged('a'), none, 'new'],
    ['the same content', merged('a'), existing('new'), 'same'],
    ['other content', merged('a'), existing('old'), 'changed'],
    ['the same, to be executable', merged('a', 'new', 0o755), existing('new'), 'changed'],
    ['the same, no longer executable', merged('a'), existing('new', 0o755), 'changed'],
    ['the same under another umask', merged('a'), existing('new', 0o600), 'same'],
    ['a secret that others may read', merged('.env', 'new', 0o600), existing('new', 0o640), 'changed'],
    ['a secret that others may not read', merged('.env', 'new', 0o600), existing('new', 0o100600), 'same'],
    [
      'a system without modes',
      merged('.env', 'new', 0o600),
      { kind: 'file', content: Buffer.from('new'), mode: undefined },
      'same',
    ],
  ])('plans a write unless the target is the same: %s', (_, planned, target, state) => {
    const { files, writes } = plan(planned, target);
    expect(files).toEqual([{ path: planned.path, state, from: 'stage' }]);
    expect(writes).toHaveLength(state === 'same' ? 0 : 1);
  });

  it.each<[string, TargetState, string]>([
    ['a directory', { kind: 'directory' }, 'is a directory'],
    ['a link', { kind: 'link' }, 'symbolic link'],
    ['a pipe', { kind: 'special' }, 'no regular file'],
    ['a path behind a link', { kind: 'blocked', parent: 'x', by: 'link' }, 'the parent x is a symbolic link'],
    ['a path below a file', { kind: 'blocked', parent: 'x', by: 'file' }, 'the parent x is a file'],
  ])('rejects %s, even with force', (_, target, message) => {
    const { refused, writes } = plan(merged('x/a'), target, { force: true });
    expect([refused, writes]).toEqual([[{ path: 'x/a', message: expect.stringContaining(message) }], []]);
  });

  it.each<[string, TargetState, boolean, string[]]>([
    ['changed', existing('old'), false, ['a']],
    ['changed with force', existing('old'), true, []],
    ['the same', existing('new'), false, []],
    ['deleted here', none, false, []],
  ])('asks for --force for a tracked file only when changed: %s', (_, target, force, tracked) => {
    expect(plan(merged('a'), target, { tracked: ['a'], force }).tracked).toEqual(tracked);
  });
});
