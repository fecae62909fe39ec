import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseRepositoryAddress } from '../../../../src/deployment/repository/address.js';
import { listTrackedFiles, toGitEnvironment, withClone } from '../../../../src/deployment/repository/clone.js';

let directory: string;
let parentDirectory: string;
/** Accepts connections and never answers. */
let silent: Server;
const sockets = new Set<Socket>();

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd, stdio: 'ignore' });
const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' };

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-git-'));
  parentDirectory = path.join(directory, 'temporary');
  const repository = path.join(directory, 'a repository');
  await mkdir(parentDirectory);
  await mkdir(path.join(repository, 'dör'), { recursive: true });
  git(repository, 'init', '-q', '-b', 'main');
  await writeFile(path.join(repository, 'dör/file'), 'first');
  git(repository, 'add', '-A');
  git(repository, 'commit', '-qm', 'first');
  await writeFile(path.join(repository, 'dör/file'), 'second');
  git(repository, 'commit', '-qam', 'second');
  await writeFile(path.join(repository, 'untracked'), '');
  silent = createServer();
  silent.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  // Ends the helper of git, which runs as long as its connection.
  for (const socket of sockets) socket.destroy();
  silent.close();
  await rm(directory, { recursive: true, force: true });
});

const address = (text: string) => parseRepositoryAddress(text, directory);
const getPort = ({ port }: AddressInfo) => port;
const silentAddress = () => {
  const listening = silent.address();
  if (listening === null || typeof listening === 'string') throw new Error('does not listen');
  return address(`https://user:secret@127.0.0.1:${getPort(listening)}/a`);
};
const unused = () => Promise.reject(new Error('was used'));

describe('withClone', () => {
  it('clones the newest commit alone and removes the clone afterwards', async () => {
    const content = await withClone(address('a repository'), { env, parentDirectory }, async (clone) => {
      const commits = execFileSync('git', ['rev-list', '--count', 'HEAD'], { cwd: clone, encoding: 'utf8' });
      return [commits.trim(), await readFile(path.join(clone, 'dör/file'), 'utf8')];
    });
    expect(content).toEqual(['1', 'second']);
    expect(await readdir(parentDirectory)).toEqual([]);
  });

  it('ignores variables of a git hook and of an editor', async () => {
    const hook = {
      ...env,
      GIT_DIR: '/nowhere',
      GIT_INDEX_FILE: 'x',
      GIT_ASKPASS: '/nowhere',
      EDITOR: 'vi',
      PAGER: 'less',
    };
    await withClone(address('a repository'), { env: hook, parentDirectory }, async (clone) => {
      expect(await readdir(clone)).toContain('dör');
    });
  });

  it('removes the clone when the callback throws', async () => {
    await expect(withClone(address('a repository'), { env, parentDirectory }, unused)).rejects.toThrow('was used');
    expect(await readdir(parentDirectory)).toEqual([]);
  });

  it.each<[string, string, string | undefined, string]>([
    ['a missing repository', 'nothing', undefined, 'Cannot clone nothing: '],
    ['a missing branch', 'a repository', 'nothing', 'no branch nothing'],
    [
      'a host that refuses connections',
      'https://user:secret@127.0.0.1:1/a',
      undefined,
      'Cannot clone https://127.0.0.1:1/a: ',
    ],
  ])('reports %s in one line', async (_, target, branch, message) => {
    const error: unknown = await withClone(address(target), { env, parentDirectory, branch }, unused).catch(
      (cause) => cause,
    );
    expect(error).toMatchObject({ message: expect.stringContaining(message), hint: expect.any(String) });
    expect(String(error)).not.toMatch(/secret|\n|Cloning into/);
    expect(await readdir(parentDirectory)).toEqual([]);
  });

  it('reports a missing git', async () => {
    const error: unknown = await withClone(
      address('a repository'),
      { env: { PATH: parentDirectory }, parentDirectory },
      unused,
    ).catch((cause) => cause);
    expect(error).toMatchObject({ message: 'Cannot run git: no such program in the PATH' });
  });

  it('gives up on a host that never answers', async () => {
    const error: unknown = await withClone(silentAddress(), { env, parentDirectory, idleTimeoutMs: 300 }, unused).catch(
      (cause) => cause,
    );
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Cannot clone https:\/\/127\.0\.0\.1.*nothing for 0.3 s$/),
    });
    expect(await readdir(parentDirectory)).toEqual([]);
  });

  it('stops when aborted and removes the clone', async () => {
    const controller = new AbortController();
    const connected = once(silent, 'connection');
    const cloning = withClone(silentAddress(), { env, parentDirectory, signal: controller.signal }, unused);
    void connected.then(() => controller.abort());
    await expect(cloning).rejects.toThrow('Interrupted');
    expect(await readdir(parentDirectory)).toEqual([]);
  });
});

describe('listTrackedFiles', () => {
  it('lists tracked files by their path below the directory', async () => {
    const root = path.join(directory, 'a repository');
    expect([...(await listTrackedFiles(root, { env }))]).toEqual(['dör/file']);
    expect([...(await listTrackedFiles(path.join(root, 'dör'), { env }))]).toEqual(['file']);
  });

  it('lists nothing outside a repository', async () => {
    expect([
      ...(await listTrackedFiles(parentDirectory, { env: { ...env, GIT_CEILING_DIRECTORIES: directory } })),
    ]).toEqual([]);
  });

  it('throws for a repository that cannot be read', async () => {
    const broken = path.join(directory, 'broken');
    await mkdir(broken);
    git(broken, 'init', '-q');
    await writeFile(path.join(broken, '.git/index'), 'no index');
    await expect(listTrackedFiles(broken, { env })).rejects.toThrow('git cannot list');
  });
});

describe('toGitEnvironment', () => {
  it('disables prompts and keeps settings of the connection', () => {
    const environment = toGitEnvironment({
      GIT_ASKPASS: 'x',
      SSH_ASKPASS: 'x',
      GIT_SSH_COMMAND: 'ssh -i key',
      HTTPS_PROXY: 'p',
    });
    expect(environment).toEqual({
      GIT_ALLOW_PROTOCOL: 'file:https:ssh',
      GIT_ASKPASS: '',
      GIT_SSH_COMMAND: 'ssh -i key',
      GIT_TERMINAL_PROMPT: '0',
      GCM_INTERACTIVE: 'never',
      HTTPS_PROXY: 'p',
      LANGUAGE: 'C',
      LC_ALL: 'C',
    });
  });
});
