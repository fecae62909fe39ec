import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toGitEnvironment } from '../../../../src/executions/runners/checkout-script.js';
import { toTaskDefinition } from '../../../../src/executions/runners/ecs/task-definitions.js';
import type { GitCheckout } from '../../../../src/executions/runners/runner.js';

let directory: string;
let repository: string;
let workspace: string;
const servers: Server[] = [];
beforeEach(async () => {
  directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-git-')));
  repository = path.join(directory, 'origin');
  workspace = path.join(directory, 'workspace');
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
  await rm(directory, { recursive: true, force: true });
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
  runtime_platform: 'Linux/X86_64',
  task_role_name: null,
  task_execution_role_name: null,
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

/** Runs the command of the container `git` of a task. */
async function checkOut(changes: Partial<GitCheckout> | undefined): Promise<{ code: number | null; output: string }> {
  const [container] = toTaskDefinition(image, settings).containerDefinitions ?? [];
  const words = [...(container?.entryPoint ?? []), ...(container?.command ?? [])];
  const checkout = changes && {
    repo: `file://${repository}`,
    ref: undefined,
    path: undefined,
    token: undefined,
    ...changes,
  };
  const env = { PATH: process.env.PATH, HOME: directory, no_proxy: '*', CHECKOUT_FOLDER: workspace };
  const child = spawn(words[0] ?? '', words.slice(1), {
    env: { ...env, ...(checkout && toGitEnvironment(checkout, workspace)) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
const checkedOut = () => readFile(path.join(workspace, 'repo', 'scripts', 'file'), 'utf8');

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

describe('checkoutScript', () => {
  it('checks out nothing without a repository, and opens the workspace to every user', async () => {
    expect(await checkOut(undefined)).toEqual({ code: 0, output: '' });
    expect(await readdir(workspace)).toEqual([]);
    expect((await stat(workspace)).mode & 0o777).toBe(0o777);
  });

  it.each([
    ['the default branch', undefined, 'second'],
    ['a branch', 'feature/x', 'third'],
    ['a tag', 'v1', 'first'],
  ])('checks out %s, silently and without history', async (_, ref, content) => {
    expect(await checkOut({ ref })).toEqual({ code: 0, output: '' });
    expect(await checkedOut()).toBe(content);
    expect((await stat(path.join(workspace, 'repo', '.git', 'shallow'))).isFile()).toBe(true);
  });

  it.each([
    ['full', 40],
    ['abbreviated', 9],
  ])('checks out a commit by its %s name', async (_, length) => {
    const ref = git('rev-parse', 'feature/x').slice(0, length);
    expect(await checkOut({ ref })).toEqual({ code: 0, output: '' });
    expect(await checkedOut()).toBe('third');
  });

  it.each([
    ['ref', { ref: 'nothing' }, 'no branch, tag or commit nothing'],
    ['directory', { path: 'missing' }, 'no directory missing'],
    ['repository', { repo: 'file:///nowhere/at-all' }, 'cannot fetch file:///nowhere/at-all'],
  ])('fails with the reason for an unknown %s', async (_, changes, message) => {
    const { code, output } = await checkOut(changes);
    expect(code).not.toBe(0);
    expect(output).toContain(message);
  });

  it('lets a command of another user write to the checkout', async () => {
    await chmod(path.join(repository, 'scripts', 'file'), 0o755);
    git('commit', '-qam', 'executable');
    await checkOut({});
    const { mode } = await stat(path.join(workspace, 'repo', 'scripts', 'file'));
    expect(mode & 0o777).toBe(0o777);
    expect((await stat(path.join(workspace, 'repo'))).mode & 0o777).toBe(0o777);
  });
});

describe('checkoutScript with a token', () => {
  const token = 'a token of the tests';
  const header = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  /** Returns a server that answers the first request of git alone, and records the credentials of each request. */
  const createListener = (seen: (string | undefined)[]): RequestListener => {
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

  it('sends the token to the host of the repository, and shows it in no file and no output', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve(createListener(seen));
    const { code, output } = await checkOut({ repo: `${url}/reef.git`, token });
    expect(code).not.toBe(0);
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([header]));
    const config = await readFile(path.join(workspace, 'repo', '.git', 'config'), 'utf8');
    expect(config).toContain('/reef.git');
    for (const text of [config, output]) expect(text).not.toMatch(/token of|Authorization|Basic/);
  });

  it('does not send the token to a redirect', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve(createListener(seen));
    const firstHost: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      firstHost.push(request.headers.authorization);
      response.writeHead(302, { location: `${elsewhere.replace('127.0.0.1', 'localhost')}${request.url}` }).end();
    });
    expect((await checkOut({ repo: `${url}/reef.git`, token })).code).not.toBe(0);
    expect(firstHost).toContain(header);
    expect(seen.filter((header_) => header_ !== undefined)).toEqual([]);
  });

  it('ignores the token for an address that is not HTTP', () => {
    const checkout = { repo: 'git@git.example.com:reef/tools.git', ref: undefined, path: undefined, token };
    expect(JSON.stringify(toGitEnvironment(checkout, '/workspace'))).not.toMatch(/GIT_CONFIG_KEY|Basic/);
  });
});
