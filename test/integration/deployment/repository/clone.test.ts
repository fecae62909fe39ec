import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repositoryAddress } from '../../../../src/deployment/repository/address.js';
import { gitEnvironment, trackedFiles, withClone } from '../../../../src/deployment/repository/clone.js';

let folder: string;
let temporary: string;
/** Accepts connections and never answers. */
let silent: Server;
const sockets = new Set<Socket>();

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd, stdio: 'ignore' });
const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' };

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'reefguide-git-'));
  temporary = path.join(folder, 'temporary');
  const repository = path.join(folder, 'a repository');
  await mkdir(temporary);
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
  // git's own helper lives as long as its connection.
  for (const socket of sockets) socket.destroy();
  silent.close();
  await rm(folder, { recursive: true, force: true });
});

const address = (text: string) => repositoryAddress(text, folder);
const portOf = ({ port }: AddressInfo) => port;
const silentAddress = () => {
  const listening = silent.address();
  if (listening === null || typeof listening === 'string') throw new Error('does not listen');
  return address(`https://user:secret@127.0.0.1:${portOf(listening)}/a`);
};
const unused = () => Promise.reject(new Error('was used'));

describe('withClone', () => {
  it('clones the newest commit alone, and removes it afterwards', async () => {
    const content = await withClone(address('a repository'), { env, temporary }, async (clone) => {
      const commits = execFileSync('git', ['rev-list', '--count', 'HEAD'], { cwd: clone, encoding: 'utf8' });
      return [commits.trim(), await readFile(path.join(clone, 'dör/file'), 'utf8')];
    });
    expect(content).toEqual(['1', 'second']);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('works where the environment says something about git, as within a hook or an editor', async () => {
    const hook = {
      ...env,
      GIT_DIR: '/nowhere',
      GIT_INDEX_FILE: 'x',
      GIT_ASKPASS: '/nowhere',
      EDITOR: 'vi',
      PAGER: 'less',
    };
    await withClone(address('a repository'), { env: hook, temporary }, async (clone) => {
      expect(await readdir(clone)).toContain('dör');
    });
  });

  it('removes the clone when its use fails', async () => {
    await expect(withClone(address('a repository'), { env, temporary }, unused)).rejects.toThrow('was used');
    expect(await readdir(temporary)).toEqual([]);
  });

  it.each<[string, string, string | undefined, string]>([
    ['a repository that is not there', 'nothing', undefined, 'Cannot clone nothing: '],
    ['a branch that is not there', 'a repository', 'nothing', 'it has no branch nothing'],
    ['a host that refuses', 'https://user:secret@127.0.0.1:1/a', undefined, 'Cannot clone https://127.0.0.1:1/a: '],
  ])('says in one line that it met %s', async (_, target, branch, message) => {
    const error: unknown = await withClone(address(target), { env, temporary, branch }, unused).catch((one) => one);
    expect(error).toMatchObject({ message: expect.stringContaining(message), hint: expect.any(String) });
    expect(String(error)).not.toMatch(/secret|\n|Cloning into/);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('says that git is not there', async () => {
    const error: unknown = await withClone(
      address('a repository'),
      { env: { PATH: temporary }, temporary },
      unused,
    ).catch((one) => one);
    expect(error).toMatchObject({ message: 'git was not found on this machine' });
  });

  it('gives up on a host that says nothing', async () => {
    const error: unknown = await withClone(silentAddress(), { env, temporary, silenceMs: 300 }, unused).catch(
      (one) => one,
    );
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Cannot clone https:\/\/127\.0\.0\.1.*nothing for 0.3 s$/),
    });
    expect(await readdir(temporary)).toEqual([]);
  });

  it('ends when it is interrupted, and removes what it began', async () => {
    const controller = new AbortController();
    const connected = once(silent, 'connection');
    const cloning = withClone(silentAddress(), { env, temporary, signal: controller.signal }, unused);
    void connected.then(() => controller.abort());
    await expect(cloning).rejects.toThrow('Interrupted');
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('trackedFiles', () => {
  it('lists what git tracks below the folder, by its name there', async () => {
    const root = path.join(folder, 'a repository');
    expect([...(await trackedFiles(root, { env }))]).toEqual(['dör/file']);
    expect([...(await trackedFiles(path.join(root, 'dör'), { env }))]).toEqual(['file']);
  });

  it('lists nothing outside of a repository', async () => {
    expect([...(await trackedFiles(temporary, { env: { ...env, GIT_CEILING_DIRECTORIES: folder } }))]).toEqual([]);
  });

  it('does not take a repository it cannot read for none', async () => {
    const broken = path.join(folder, 'broken');
    await mkdir(broken);
    git(broken, 'init', '-q');
    await writeFile(path.join(broken, '.git/index'), 'no index');
    await expect(trackedFiles(broken, { env })).rejects.toThrow('git cannot list');
  });
});

describe('gitEnvironment', () => {
  it('never lets git ask, and keeps what says how to reach a host', () => {
    const made = gitEnvironment({
      GIT_ASKPASS: 'x',
      SSH_ASKPASS: 'x',
      GIT_SSH_COMMAND: 'ssh -i key',
      HTTPS_PROXY: 'p',
    });
    expect(made).toEqual({
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
