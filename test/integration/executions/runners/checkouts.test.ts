// A repository is checked out before a command runs in it.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type GitServer, startGitServer } from '../../../support/fakes/git-server.js';
import { type Caller, startTestService, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

const token = 'hunter2-git-token';
let system: TestService;
let developer: Caller;
let open: GitServer;
let closed: GitServer;
beforeAll(async () => {
  [open, closed] = await Promise.all([startGitServer(), startGitServer(token)]);
  system = await startTestService();
  await system.service.seed();
  developer = await system.as('DEVELOPER');
});
afterAll(async () => {
  await system.close();
  await Promise.all([open.close(), closed.close()]);
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

describe('a checkout', () => {
  it.each([
    ['of the default branch', {}, 'second'],
    ['of a branch', { git_ref: 'side' }, 'side'],
    ['of a tag', { git_ref: 'v1' }, 'first'],
  ])('%s', async (_, git, expected) => {
    const end = await ran({ command: 'cat what.txt', git_repo: open.url, ...git });
    expect(end).toMatchObject({ status: 'SUCCEEDED', lines: [expected] });
  });

  it('of a commit, whole or shortened', async () => {
    for (const git_ref of [open.firstCommit, open.firstCommit.slice(0, 10)])
      expect(await ran({ command: 'cat what.txt', git_repo: open.url, git_ref })).toMatchObject({ lines: ['first'] });
  });

  it('is where the command runs, or a folder of it', async () => {
    expect(await ran({ command: 'sh say.sh', git_repo: open.url, git_path: 'scripts' })).toMatchObject({
      lines: ['from second'],
    });
  });

  it('from this machine’s disk', async () => {
    expect(await ran({ command: 'cat what.txt', git_repo: `file://${open.folder}` })).toMatchObject({
      lines: ['second'],
    });
  });

  it.each([
    ['of a branch that is not there', { git_ref: 'nowhere' }, 'there is no branch, tag or commit nowhere'],
    ['with a folder that is not there', { git_path: 'nowhere' }, 'there is no folder nowhere'],
  ])('%s fails with what is wrong', async (_, git, message) => {
    const end = await ran({ command: 'echo never', git_repo: open.url, ...git });
    expect(end).toMatchObject({ status: 'FAILED', exit_code: 128 });
    expect(end.lines.at(-1)).toContain(`[reefguide] ${message}`);
    expect(end.lines).not.toContain('never');
  });
});

describe('a repository that asks for a token', () => {
  it.each([
    ['in a variable', () => ({ git_repo: closed.url, env: { GITHUB_TOKEN: token } })],
    ['in the address', () => ({ git_repo: closed.url.replace('://', `://user:${token}@`) })],
    ['in a secret', () => ({ git_repo: closed.url, secrets: ['git'] })],
  ])('gets it %s; it is neither shown nor left on disk', async (_, body) => {
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

  it('is refused without one, and nobody is asked', async () => {
    const end = await ran({ command: 'echo never', git_repo: closed.url });
    expect(end).toMatchObject({ status: 'FAILED', exit_code: 128 });
    expect(end.lines.at(-1)).toContain('is a token needed?');
  });
});

it('one that is being fetched can be stopped', async () => {
  const id = await start({ command: 'echo never', git_repo: 'http://192.0.2.1/never.git' });
  await until(async () =>
    (await readdir(path.join(system.home, 'executions', id)).catch((): string[] => [])).includes('workspace'),
  );
  expect((await developer.delete(`/api/v1/executions/${id}`)).status).toBe(200);
  expect(await toEnd(id)).toMatchObject({ status: 'STOPPED', exit_code: 130 });
});
