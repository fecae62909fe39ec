import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { listen } from '../../../src/server/http/listen.js';

const env = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

export interface GitServer {
  /** Address of the repository over HTTP. */
  url: string;
  /** Directory of the repository. */
  directory: string;
  /** First of the two commits on `main`. */
  firstCommit: string;
  close(): Promise<void>;
}

/** Serves a repository (two commits on `main`, a tag, a branch, a subdirectory) by git's HTTP backend, behind a token if any. */
export async function startGitServer(token?: string): Promise<GitServer> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'reefguide-git-'));
  const directory = path.join(root, 'repo.git');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, env, encoding: 'utf8' }).trim();
  await mkdir(path.join(directory, 'scripts'), { recursive: true });
  git('init', '-q', '-b', 'main');
  const commit = async (text: string) => {
    await writeFile(path.join(directory, 'what.txt'), `${text}\n`);
    await writeFile(path.join(directory, 'scripts', 'say.sh'), `echo from ${text}\n`);
    git('add', '.');
    git('commit', '-q', '-m', text);
    return git('rev-parse', 'HEAD');
  };
  const firstCommit = await commit('first');
  git('tag', 'v1');
  git('checkout', '-q', '-b', 'side');
  await commit('side');
  git('checkout', '-q', 'main');
  await commit('second');

  const server = await listen((request, response) => {
    const [, credentials = ''] = request.headers.authorization?.split('Basic ') ?? [];
    // Ignores the user name, as most hosts do.
    if (token !== undefined && Buffer.from(credentials, 'base64').toString().split(':')[1] !== token) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
    const backend = spawn('git', ['http-backend'], {
      env: {
        ...env,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk) => chunks.push(chunk));
    backend.stdout.on('end', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const headers = all
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': ') as [string, string]);
      const status = Number(headers.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
      response.end(all.subarray(end + 4));
    });
  }, 0);
  return {
    url: `${server.url}/repo.git`,
    directory,
    firstCommit,
    async close() {
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
