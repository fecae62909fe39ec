import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type GitServer, startGitServer } from '../../../support/fakes/git-server.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

const token = 'hunter2-git-token';
let system: TestService;
let developer: TestCaller;
let openServer: GitServer;
let tokenServer: GitServer;
beforeAll(async () => {
  [openServer, tokenServer] = await Promise.all([startGitServer(), startGitServer(token)]);
  system = await startTestService();
  await system.service.seed();
  developer = await system.as('DEVELOPER');
});
afterAll(async () => {
  await system.close();
  await Promise.all([openServer.close(), tokenServer.close()]);
});

const start = async (body: object): Promise<string> => {
  const answer = await developer.post('/api/v1/run', body);
  expect(answer.status).toBe(202);
  return answer.body.execution_id;
};
const toEnd = async (id: string) => {
  const get = async () => (await developer.get(`/api/v1/executions/${id}/status`)).body;
  await until(async () => (await get()).completed_at !== undefined);
  const logs = (await developer.get(`/api/v1/executions/${id}/logs`)).body;
  const lines: string[] = logs.events.map(({ message }: { message: string }) => message).slice(1);
  return { ...(await get()), lines };
};
const ran = async (body: object) => toEnd(await start(body));

describe('a command with a repository', () => {
  it.each([
    ['the default branch', {}, 'second'],
    ['a branch', { git_ref: 'side' }, 'side'],
    ['a tag', { git_ref: 'v1' }, 'first'],
  ])('runs in a checkout of %s', async (_, git, expected) => {
    const end = await ran({ command: 'cat what.txt', git_repo: openServer.url, ...git });
    expect(end).toMatchObject({ status: 'SUCCEEDED', lines: [expected] });
  });

  it('runs in a checkout of a commit, by full or abbreviated name', async () => {
    for (const git_ref of [openServer.firstCommit, openServer.firstCommit.slice(0, 10)])
      expect(await ran({ command: 'cat what.txt', git_repo: openServer.url, git_ref })).toMatchObject({
        lines: ['first'],
      });
  });

  it('runs in a directory of the checkout', async () => {
    expect(await ran({ command: 'sh say.sh', git_repo: openServer.url, git_path: 'scripts' })).toMatchObject({
      lines: ['from second'],
    });
  });

  it('runs in a checkout from a repository on this machine', async () => {
    expect(await ran({ command: 'cat what.txt', git_repo: `file://${openServer.directory}` })).toMatchObject({
      lines: ['second'],
    });
  });

  it.each([
    ['branch', { git_ref: 'nowhere' }, 'no branch, tag or commit nowhere'],
    ['directory', { git_path: 'nowhere' }, 'no directory nowhere'],
  ])('fails with the reason for an unknown %s', async (_, git, message) => {
    const end = await ran({ command: 'echo never', git_repo: openServer.url, ...git });
    expect(end).toMatchObject({ status: 'FAILED', exit_code: 128 });
    expect(end.lines.at(-1)).toContain(`[reefguide] ${message}`);
    expect(end.lines).not.toContain('never');
  });
});

describe('a command with a repository behind a token', () => {
  it.each([
    ['a variable', () => ({ git_repo: tokenServer.url, env: { GITHUB_TOKEN: token } })],
    ['the address', () => ({ git_repo: tokenServer.url.replace('://', `://user:${token}@`) })],
    ['a secret', () => ({ git_repo: tokenServer.url, secrets: ['git'] })],
  ])('takes the token from %s, and leaves it in no output and no file', async (_, body) => {
    await developer.post('/api/v1/secrets', { name: 'git', key_name: 'GIT_TOKEN', value: token });
    const id = await start({
      ...body(),
      command: 'cat what.txt; cat .git/config; touch ../checked-out; until [ -e ../go ]; do sleep 0.02; done',
    });
    const work = path.join(system.home, 'executions', id, 'workspace');
    await until(async () => (await readdir(work).catch((): string[] => [])).includes('checked-out'));
    const encoded = Buffer.from(`x-access-token:${token}`).toString('base64');
    for (const name of await readdir(path.join(system.home, 'executions', id), { recursive: true })) {
      const content = await readFile(path.join(system.home, 'executions', id, name), 'latin1').catch(() => '');
      expect(content.includes(token) || content.includes(encoded)).toBe(false);
    }
    await writeFile(path.join(work, 'go'), '');
    const end = await toEnd(id);
    expect(end.lines[0]).toBe('second');
    const { rows } = await system.database.pool.query('SELECT * FROM "Execution" WHERE execution_id = $1', [id]);
    for (const shown of [end, rows]) expect(JSON.stringify(shown)).not.toMatch(/hunter2/);
  });

  it('fails without a token, and prompts nobody', async () => {
    const end = await ran({ command: 'echo never', git_repo: tokenServer.url });
    expect(end).toMatchObject({ status: 'FAILED', exit_code: 128 });
    expect(end.lines.at(-1)).toContain('whether a token is needed');
  });
});

it('a command that fetches its repository: stops on request', async () => {
  const id = await start({ command: 'echo never', git_repo: 'http://192.0.2.1/never.git' });
  await until(async () =>
    (await readdir(path.join(system.home, 'executions', id)).catch((): string[] => [])).includes('workspace'),
  );
  expect((await developer.delete(`/api/v1/executions/${id}`)).status).toBe(200);
  expect(await toEnd(id)).toMatchObject({ status: 'STOPPED', exit_code: 130 });
});
