import { describe, expect, it } from '@jest/globals';
import { findPathProblem, isPlainName, toMode } from '../../../../src/deployment/repository/paths.js';

describe('isPlainName', () => {
  it.each(['dev', 'feature-1', 'v1.2', '_x', 'réef'])('accepts %j', (name) => expect(isPlainName(name)).toBe(true));
  it.each(['', '.', '..', '.git', '-x', 'a/b', 'a\\b', 'a b', 'a\nb', '../x', 'a\0'])('rejects %j', (name) =>
    expect(isPlainName(name)).toBe(false),
  );
});

describe('findPathProblem', () => {
  it.each(['a', '.env', 'configs/x.json', '.github/workflows/a.yml', '.gitignore', 'a..b/c', 'x/env.json', '.gitx/a'])(
    'accepts %j',
    (path) => expect(findPathProblem(path)).toBeUndefined(),
  );
  it.each([
    ['../a', 'leads out'],
    ['a/../../b', 'leads out'],
    ['/etc/x', 'leads out'],
    ['a//b', 'leads out'],
    ['', 'leads out'],
    ['.git/config', 'belongs to git'],
    ['.GIT/config', 'belongs to git'],
    ['a/.Git', 'belongs to git'],
    ['.git./x', 'belongs to git'],
    ['GIT~1/x', 'belongs to git'],
    ['.g\u200cit/x', 'belongs to git'],
    ['a\\b', 'backslash'],
    ['a\u001b[31m', 'control character'],
    ['a:b', 'colon'],
    ['env.json', 'repository'],
    ['ENV.json', 'repository'],
    ['.reefguide-config/journal.json', 'files of this command'],
  ])('rejects %j', (path, reason) => expect(findPathProblem(path)).toContain(reason));
});

describe('toMode', () => {
  it.each<[string, boolean, number]>([
    ['a', false, 0o644],
    ['a', true, 0o755],
    ['.env', false, 0o600],
    ['web/.env.production', true, 0o600],
    ['.environment/a', false, 0o644],
  ])('gives %s, executable %s, the mode %d', (path, executable, mode) => expect(toMode(path, executable)).toBe(mode));
});
