import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gitEnvironment } from '../../../../src/executions/runners/checkout-script.js';
import { definitionOf } from '../../../../src/executions/runners/ecs/task-definitions.js';
import type { GitCheckout } from '../../../../src/executions/runners/runner.js';

let folder: string;
let repository: string;
let workspace: string;
const servers: Server[] = [];
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-git-')));
  repository = path.join(folder, 'origin');
  workspace = path.join(folder, 'workspace');
  await mkdir(path.join(repository, 'scripts'), { recursive: true });
  await mkdir(workspace, { mode: 0o755 });
  git('init', '-q', '-b', 'main');
  await commit('first');
  git('tag', '-a', 'v1', '-m', 'version 1');
  await commit('second');
  git('checkout', '-q', '-b', 'feature/x');
  await commit('third');
  git('checkout', '-q', 'main');
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true, force: true });
});

const identity = { GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@example.com', GIT_COMMITTER_NAME: 'T' };
const bare = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_COMMITTER_EMAIL: 't@example.com' };
const git = (...args: string[]) =>
  execFileSync('git', args, {
    cwd: repository,
    env: { ...process.env, ...identity, ...bare },
    encoding: 'utf8',
  }).trim();
async function commit(text: string): Promise<void> {
  await writeFile(path.join(repository, 'scripts', 'file'), text);
  git('add', '.');
  git('commit', '-q', '-m', text);
}

const image = {
  image: 'alpine',
  cpu: 256,
  memory: 512,
  runtimePlatform: 'Linux/X86_64',
  taskRoleName: undefined,
  taskExecutionRoleName: undefined,
};
const settings = {
  cluster: 'reef',
  securityGroup: 'sg-1',
  subnets: [],
  logGroup: 'executions',
  region: 'ap-southeast-2',
  familyPrefix: 'reef',
  gitImage: 'git',
};

/** Runs what the container `git` of a task runs. */
async function checkOut(changes: Partial<GitCheckout> | undefined): Promise<{ code: number | null; said: string }> {
  const [container] = definitionOf(image, settings).containerDefinitions ?? [];
  const words = [...(container?.entryPoint ?? []), ...(container?.command ?? [])];
  const checkout = changes && {
    repo: `file://${repository}`,
    ref: undefined,
    path: undefined,
    token: undefined,
    ...changes,
  };
  const env = { PATH: process.env.PATH, HOME: folder, no_proxy: '*', CHECKOUT_FOLDER: workspace };
  const child = spawn(words[0] ?? '', words.slice(1), { env: { ...env, ...gitEnvironment(checkout, workspace) } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}
const checkedOut = () => readFile(path.join(workspace, 'repo', 'scripts', 'file'), 'utf8');

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

describe('the checkout of a task', () => {
  it('is none where none is wanted; the workspace is everybody’s', async () => {
    expect(await checkOut(undefined)).toEqual({ code: 0, said: '' });
    expect(await readdir(workspace)).toEqual([]);
    expect((await stat(workspace)).mode & 0o777).toBe(0o777);
  });

  it.each([
    ['the default branch', undefined, 'second'],
    ['a branch', 'feature/x', 'third'],
    ['a tag', 'v1', 'first'],
  ])('is %s, silently and without its history', async (_, ref, content) => {
    expect(await checkOut({ ref })).toEqual({ code: 0, said: '' });
    expect(await checkedOut()).toBe(content);
    expect((await stat(path.join(workspace, 'repo', '.git', 'shallow'))).isFile()).toBe(true);
  });

  it.each([
    ['whole', 40],
    ['abbreviated', 9],
  ])('is a commit, its name %s', async (_, length) => {
    const ref = git('rev-parse', 'feature/x').slice(0, length);
    expect(await checkOut({ ref })).toEqual({ code: 0, said: '' });
    expect(await checkedOut()).toBe('third');
  });

  it.each([
    ['no such ref', { ref: 'nothing' }, 'no branch, tag or commit nothing'],
    ['no such folder', { path: 'missing' }, 'no folder missing'],
    ['no such repository', { repo: 'file:///nowhere/at-all' }, 'cannot fetch file:///nowhere/at-all'],
  ])('fails for good when there is %s', async (_, changes, message) => {
    const { code, said } = await checkOut(changes);
    expect(code).not.toBe(0);
    expect(said).toContain(message);
  });

  it('may be written to by a command that runs as another user', async () => {
    await chmod(path.join(repository, 'scripts', 'file'), 0o755);
    git('commit', '-qam', 'executable');
    await checkOut({});
    const { mode } = await stat(path.join(workspace, 'repo', 'scripts', 'file'));
    expect(mode & 0o777).toBe(0o777);
    expect((await stat(path.join(workspace, 'repo'))).mode & 0o777).toBe(0o777);
  });
});

describe('a token', () => {
  const token = 'a token of the tests';
  const header = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  /** A server that knows git's first question alone, and says who asked. */
  const answering = (seen: (string | undefined)[]): RequestListener => {
    const packet = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text;
    return (request, response) => {
      seen.push(request.headers.authorization);
      if (request.method === 'POST') {
        response.writeHead(500).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      response.end(
        `${packet('# service=git-upload-pack\n')}0000${packet('version 2\n')}${packet('ls-refs\n')}${packet('fetch\n')}0000`,
      );
    };
  };

  it('is sent to the host of the repository, and stands neither in a file nor in what is said', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve(answering(seen));
    const { code, said } = await checkOut({ repo: `${url}/reef.git`, token });
    expect(code).not.toBe(0);
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([header]));
    const config = await readFile(path.join(workspace, 'repo', '.git', 'config'), 'utf8');
    expect(config).toContain('/reef.git');
    for (const text of [config, said]) expect(text).not.toMatch(/token of|Authorization|Basic/);
  });

  it('is not sent to where that host redirects', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve(answering(seen));
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(302, { location: `${elsewhere.replace('127.0.0.1', 'localhost')}${request.url}` }).end();
    });
    expect((await checkOut({ repo: `${url}/reef.git`, token })).code).not.toBe(0);
    expect(asked).toContain(header);
    expect(seen.filter((one) => one !== undefined)).toEqual([]);
  });

  it('is of no use to an address that is not HTTP', () => {
    const checkout = { repo: 'git@git.example.com:reef/tools.git', ref: undefined, path: undefined, token };
    expect(JSON.stringify(gitEnvironment(checkout, '/workspace'))).not.toMatch(/GIT_CONFIG_KEY|Basic/);
  });
});
