import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runProgram, startProgram } from '../support/program.js';
import { until } from '../support/until.js';

let directory: string;
let tree: string;
let repository: string;

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd, stdio: 'ignore' });
const commit = (cwd: string) => {
  git(cwd, 'add', '-A');
  git(cwd, 'commit', '-qm', 'change');
};
const put = async (file: string, text: string) => {
  await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
  await writeFile(path.join(directory, file), text);
};
const env = () => ({ NO_COLOR: '1', TMPDIR: path.join(directory, 'tmp'), GIT_CEILING_DIRECTORIES: directory });
const config = (args: string[], more: Record<string, string> = {}) =>
  runProgram(['config', ...args], { cwd: tree, env: { ...env(), ...more } });
const read = (file: string) => readFile(path.join(tree, file), 'utf8');
const listed = async () =>
  (await readdir(tree, { recursive: true })).filter((name) => !name.startsWith('.git/')).sort();
/** Expects that the command left no temporary directory and no state. */
const expectCleanUp = async () => {
  expect(await readdir(path.join(directory, 'tmp'))).toEqual([]);
  expect(existsSync(path.join(tree, '.reefguide-config'))).toBe(false);
};

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-config-test-'));
  tree = path.join(directory, 'tree');
  repository = path.join(directory, 'configuration');
  for (const name of ['tree', 'tmp', 'configuration']) await mkdir(path.join(directory, name));
  git(repository, 'init', '-q', '-b', 'main');
  await put('configuration/reef/base/configs/app.json', '{"from": "base"}');
  await put('configuration/reef/base/run.sh', 'echo run');
  await chmod(path.join(repository, 'reef/base/run.sh'), 0o755);
  await put('configuration/reef/dev/configs/app.json', '{"from": "dev"}');
  await put('configuration/reef/dev/.env', 'KEY=dev');
  await put('configuration/reef/feature/substitute.json', '{"variables": ["BRANCH_NAME"]}');
  await put('configuration/reef/feature/.env', 'URL=https://$' + '{BRANCH_NAME}.example.org $' + '{OTHER}');
  commit(repository);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('config', () => {
  it('merges base and the stage, remembers the repository, and reports no change the second time', async () => {
    await put('tree/env.json', '{"other": 1}');
    const first = await config(['reef', 'dev', '--target', '../configuration']);
    expect([first.code, first.stdout]).toEqual([
      0,
      'new      .env  stage\nnew      configs/app.json  stage\nnew      run.sh  base\n',
    ]);
    expect(await read('configs/app.json')).toBe('{"from": "dev"}');
    expect((await stat(path.join(tree, '.env'))).mode & 0o777).toBe(0o600);
    expect((await stat(path.join(tree, 'run.sh'))).mode & 0o100).toBe(0o100);
    expect(JSON.parse(await read('env.json'))).toEqual({ other: 1, configRepository: '../configuration' });
    const second = await config(['reef', 'dev', '--json']);
    expect(JSON.parse(second.stdout)).toEqual({
      repository: '../configuration',
      namespace: 'reef',
      stage: 'dev',
      files: [
        { path: '.env', state: 'same', from: 'stage' },
        { path: 'configs/app.json', state: 'same', from: 'stage' },
        { path: 'run.sh', state: 'same', from: 'base' },
      ],
    });
    await expectCleanUp();
  });

  it('prints the plan and writes nothing with --dry-run', async () => {
    const { code, stdout } = await config(['reef', 'dev', '-t', '../configuration', '--dry-run']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('new      .env  stage')]);
    expect(await listed()).toEqual([]);
    await expectCleanUp();
  });

  it('reads a branch, or a directory without cloning', async () => {
    git(repository, 'checkout', '-qb', 'next');
    await put('configuration/reef/dev/.env', 'KEY=next');
    commit(repository);
    git(repository, 'checkout', '-q', 'main');
    await config(['reef', 'dev', '-t', '../configuration', '-b', 'next']);
    expect(await read('.env')).toBe('KEY=next');
    await put('configuration/reef/dev/.env', 'KEY=not committed');
    await config(['reef', 'dev', '-d', '../configuration']);
    expect(await read('.env')).toBe('KEY=not committed');
  });

  it('replaces the listed variables, and reports missing ones before writing', async () => {
    const missing = await config(['reef', 'feature', '-t', '../configuration']);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('reef/feature/.env: BRANCH_NAME')]);
    expect(await listed()).toEqual([]);
    const { code } = await config(['reef', 'feature', '-t', '../configuration'], { BRANCH_NAME: 'b1', OTHER: 'x' });
    expect([code, await read('.env')]).toEqual([0, 'URL=https://b1.example.org $' + '{OTHER}']);
    expect(existsSync(path.join(tree, 'substitute.json'))).toBe(false);
  });

  it.each([
    [['reef', 'dev'], 1, '--target'],
    [['reef', 'nothing', '-t', '../configuration'], 1, 'Choose one of: dev, feature.'],
    [['nothing', 'dev', '-t', '../configuration'], 1, 'Choose one of: reef.'],
    [['reef', 'dev', '-t', '../nothing'], 1, 'Cannot clone ../nothing'],
    [['reef', 'dev', '-t', 'ext::sh -c true'], 1, 'transport helper'],
    [['reef', 'dev', '-d', '../nothing'], 1, 'No directory ../nothing'],
  ])('fails with %j: exit code %d and %j', async (args, expected, text) => {
    const { code, stdout, stderr } = await config(args);
    expect([code, stdout, stderr]).toEqual([expected, '', expect.stringContaining(text)]);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await listed()).toEqual([]);
    await expectCleanUp();
  });

  it('overwrites tracked files only with --force', async () => {
    git(tree, 'init', '-q');
    await put('tree/configs/app.json', 'mine');
    commit(tree);
    const refused = await config(['reef', 'dev', '-t', '../configuration']);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/configs\/app\.json: tracked\n.*--force/),
    ]);
    expect([await read('configs/app.json'), existsSync(path.join(tree, '.env'))]).toEqual(['mine', false]);
    expect((await config(['reef', 'dev', '-t', '../configuration', '--force'])).code).toBe(0);
    expect(await read('configs/app.json')).toBe('{"from": "dev"}');
  });

  it('follows no symbolic link of the working tree or of the repository', async () => {
    await mkdir(path.join(directory, 'outside'));
    await symlink('../outside', path.join(tree, 'configs'));
    const through = await config(['reef', 'dev', '-t', '../configuration', '--force']);
    expect([through.code, through.stderr]).toEqual([
      1,
      expect.stringContaining('the parent configs is a symbolic link'),
    ]);
    expect(await readdir(path.join(directory, 'outside'))).toEqual([]);
    await symlink('/etc/hostname', path.join(repository, 'reef/dev/link'));
    commit(repository);
    const followed = await config(['reef', 'dev', '-t', '../configuration']);
    expect([followed.code, followed.stderr]).toEqual([1, expect.stringContaining('reef/dev/link: is a symbolic link')]);
    expect(await listed()).toEqual(['configs']);
  });
});

describe('config interrupted', () => {
  const count = 800;
  beforeEach(async () => {
    const many = path.join(repository, 'reef/dev/many');
    await mkdir(many);
    for (let n = 0; n < count; n++) await writeFile(path.join(many, String(n)), 'new');
    await put('tree/.env', 'KEY=old');
  });
  const args = ['config', 'reef', 'dev', '-d', '../configuration'];
  const startAndStop = async (signal: NodeJS.Signals) => {
    const { child, finished } = startProgram(args, { cwd: tree, env: env() });
    await until(() => existsSync(path.join(tree, '.reefguide-config/old/0')), { timeoutMs: 40_000, everyMs: 2 });
    child.kill(signal);
    return finished;
  };

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s leaves the tree unchanged',
    async (signal) => {
      const { code, stderr } = await startAndStop(signal);
      expect([code, stderr]).toEqual([1, expect.stringContaining('Interrupted')]);
      expect([await listed(), await read('.env')]).toEqual([['.env'], 'KEY=old']);
    },
    60_000,
  );

  it('restores the directory first at the next run after a kill -9', async () => {
    await startAndStop('SIGKILL');
    const { code, stderr } = await config(['reef', 'nothing', '-d', '../configuration']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Restored')]);
    expect([await listed(), await read('.env')]).toEqual([['.env'], 'KEY=old']);
    expect((await config(args.slice(1))).code).toBe(0);
    expect(await readdir(path.join(tree, 'many'))).toHaveLength(count);
    await expectCleanUp();
  }, 60_000);
});
