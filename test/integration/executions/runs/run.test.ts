import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, startTestService, type TestCaller, type TestService } from '../../../support/service.js';
import { listenTo } from '../../../support/sockets.js';
import { until } from '../../../support/until.js';

let system: TestService;
let operator: TestCaller;
let developer: TestCaller;
beforeAll(async () => {
  system = await startTestService();
  await system.service.seed();
  [operator, developer] = [await system.as('OPERATOR'), await system.as('DEVELOPER')];
});
afterAll(() => system.close());

const hostNote = /^\[reefguide\] runs on this machine, not in ubuntu:24\.04/;
const run = (body: object, by = developer) => by.post('/api/v1/run', body);
const readStatus = async (id: string, by = developer): Promise<Answer> => by.get(`/api/v1/executions/${id}/status`);
const toEnd = async (id: string) => {
  await until(async () => (await readStatus(id, operator)).body.completed_at !== undefined);
  return (await readStatus(id, operator)).body;
};
const readLines = async (id: string): Promise<string[]> => {
  const { body } = await operator.get(`/api/v1/executions/${id}/logs`);
  return body.events.map(({ message }: { message: string }) => message);
};
const ran = async (body: object, by = developer) => {
  const answer = await run(body, by);
  expect(answer.status).toBe(202);
  const end = await toEnd(answer.body.execution_id);
  const lines = await readLines(answer.body.execution_id);
  expect(lines[0]).toMatch(hostNote);
  return { ...end, lines: lines.slice(1) };
};

describe('POST /api/v1/run', () => {
  it('answers with the URLs of log and WebSocket', async () => {
    const { body } = await run({ command: 'true' });
    expect(body).toEqual({
      execution_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      log_url: `${system.url}/api/v1/executions/${body.execution_id}/logs`,
      status: expect.stringMatching(/^(STARTING|RUNNING|SUCCEEDED)$/),
      command: 'true',
      image_id: 'ubuntu:24.04',
      websocket_url: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/ws\?token=./),
    });
    expect(await toEnd(body.execution_id)).toMatchObject({ status: 'SUCCEEDED', exit_code: 0 });
  });

  it.each([
    ['true', 'SUCCEEDED', 0],
    ['exit 3', 'FAILED', 3],
    ['kill -TERM $$', 'FAILED', 143],
    ['no-such-program', 'FAILED', 127],
  ])('runs %s, which ends %s with %d', async (command, status, exit_code) => {
    expect(await ran({ command })).toMatchObject({ status, exit_code });
  });

  it('stores both streams in order, and a last line without a line break', async () => {
    const command = 'for n in 1 2 3; do echo out $n; echo err $n >&2; done; printf %s last';
    const { lines } = await ran({ command });
    expect(lines).toEqual(['out 1', 'err 1', 'out 2', 'err 2', 'out 3', 'err 3', 'last']);
  });

  it('passes variables and secrets to the command, and nothing of the server', async () => {
    await developer.post('/api/v1/secrets', { name: 'data', key_name: 'DATA', value: 'hunter2-data' });
    const { lines } = await ran({ command: 'env', env: { A: 'a b' }, secrets: ['data'] });
    expect(lines).toContain('A=a b');
    expect(lines).toContain('DATA=***');
    expect(lines.join('\n')).not.toMatch(/DATABASE_URL|TEST_|NODE_OPTIONS/);
  });

  it('masks secret values in output, command and answers, encoded ones too', async () => {
    const password = 'correct horse battery';
    const command = 'echo "$DB_PASSWORD"; printf %s "x$DB_PASSWORD" | base64; echo {"$DB_PASSWORD"}';
    const answer = await run({ command: `${command} # ${password}`, env: { DB_PASSWORD: password } });
    const id = answer.body.execution_id;
    await toEnd(id);
    const lines = await readLines(id);
    expect(lines[1]).toBe('***');
    expect(lines[2]).toContain('***');
    expect(lines[3]).toBe('{***}');
    const { rows } = await system.database.pool.query('SELECT * FROM "Execution" WHERE execution_id = $1', [id]);
    for (const shown of [answer.body, lines, rows])
      expect(JSON.stringify(shown)).not.toMatch(/correct horse|Y29ycmVjdCBob3JzZS|29ycmVjdCBob3JzZ/);
  });

  it('masks a secret value that is printed in two pieces', async () => {
    const command = 'printf hunter2-; sleep 0.2; printf "split\\n"';
    expect((await ran({ command, env: { A_TOKEN: 'hunter2-split' } })).lines).toEqual(['***']);
  });

  it('truncates a line that is too long', async () => {
    const { lines } = await ran({ command: "head -c 600000 /dev/zero | tr '\\0' x; echo; echo next" });
    expect(lines.map((line: string) => line.replace(/^x+/, (all) => `${all.length} x`))).toEqual([
      '262144 x … [cut: the line is longer than 256 KiB]',
      'next',
    ]);
  });

  it('replaces bytes that are not text', async () => {
    expect((await ran({ command: "printf 'a\\377b\\0c\\n'" })).lines).toEqual(['a\uFFFDb\uFFFDc']);
  });

  it('stops a command after its timeout, with exit code 124', async () => {
    const end = await ran({ command: 'printf begun; sleep 60', timeout: 1 });
    expect(end).toMatchObject({ status: 'FAILED', exit_code: 124 });
    expect(end.lines).toEqual(['begun', '[reefguide] stopped: the command exceeded the timeout of 1 s']);
  });

  it('leaves no process and no file behind', async () => {
    const marker = `31.${process.pid}`;
    const { body } = await run({ command: `sleep ${marker} & sleep ${marker} & echo begun` });
    await toEnd(body.execution_id);
    const { lines } = await ran({ command: `ps -eo args | grep "[s]leep ${marker}" || echo none` });
    expect(lines).toEqual(['none']);
    await until(async () => (await readdir(path.join(system.home, 'executions'))).length === 0);
  });

  it('refuses an unknown secret', async () => {
    const answer = await run({ command: 'true', secrets: ['missing'] });
    expect([answer.status, answer.body.code]).toEqual([404, 'SECRET_NOT_FOUND']);
  });

  it.each([
    ['no command', {}],
    ['an invalid image', { command: 'true', image: 'not an image' }],
    ['two images', { command: 'true', image: 'a', imageUri: 'b' }],
    ['an invalid variable name', { command: 'true', env: { 'A=B': 'x' } }],
    ['a path outside of the repository', { command: 'true', git_repo: 'https://x.org/y', git_path: '../z' }],
    ['an option as branch', { command: 'true', git_repo: 'https://x.org/y', git_ref: '--upload-pack=x' }],
    ['a transport that runs programs', { command: 'true', git_repo: 'ext::sh -c x' }],
    ['an address with an invalid port', { command: 'true', git_repo: 'https://u:hunter2@host:99999/x.git' }],
    ['a password in an ssh address', { command: 'true', git_repo: 'ssh://git:hunter2@host/x.git' }],
    ['an unknown field', { command: 'true', shell: 'bash' }],
  ])('refuses %s', async (_, body) => {
    const answer = await run(body);
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_REQUEST']);
  });

  it('names the expected form of a variable name', async () => {
    const { body } = await run({ command: 'true', env: { 'A=B': 'x' } });
    expect(body.details).toEqual([{ path: 'env.A=B', message: 'expected the name of an environment variable' }]);
  });
});

describe('DELETE /api/v1/executions/:id', () => {
  it('ends the whole process group with 130, and answers 204 after the end', async () => {
    const { body } = await run({ command: 'trap "" TERM; echo begun; sleep 61 & sleep 61' });
    const id = body.execution_id;
    await until(async () => (await readStatus(id)).body.status === 'RUNNING');
    const stop = await developer.delete(`/api/v1/executions/${id}`);
    expect([stop.status, stop.body.execution_id]).toEqual([200, id]);
    expect(await toEnd(id)).toMatchObject({ status: 'STOPPED', exit_code: 130 });
    const again = await developer.delete(`/api/v1/executions/${id}`);
    expect([again.status, again.body]).toEqual([204, '']);
  });

  it('stops a command through another API process', async () => {
    const second = await startTestService({ beside: system });
    try {
      const { body } = await run({ command: 'sleep 62' });
      await until(async () => (await readStatus(body.execution_id)).body.status === 'RUNNING');
      const stop = await second.fetch(`/api/v1/executions/${body.execution_id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${developer.token}` },
      });
      expect(stop.status).toBe(200);
      expect(await toEnd(body.execution_id)).toMatchObject({ status: 'STOPPED', exit_code: 130 });
    } finally {
      await second.close();
    }
  });
});

describe('routes of executions', () => {
  it('let the owner and every operator read and stop an execution, and no other user', async () => {
    const { body } = await run({ command: 'sleep 63' });
    const paths = [`/api/v1/executions/${body.execution_id}/status`, `/api/v1/executions/${body.execution_id}/logs`];
    const other = await system.as('DEVELOPER');
    const viewer = await system.as('VIEWER');
    for (const target of paths) {
      expect((await other.get(target)).status).toBe(403);
      expect((await viewer.get(target)).status).toBe(403);
      expect((await operator.get(target)).status).toBe(200);
    }
    expect((await other.delete(`/api/v1/executions/${body.execution_id}`)).status).toBe(403);
    expect((await operator.delete(`/api/v1/executions/${body.execution_id}`)).status).toBe(200);
    await toEnd(body.execution_id);
  });

  it('list executions newest first, by status, with creator and request', async () => {
    const first = await system.fetch('/api/v1/run', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${developer.token}`,
        'content-type': 'application/json',
        'x-request-id': 'request-17',
      },
      body: JSON.stringify({ command: 'exit 4' }),
    });
    await toEnd(first.body.execution_id);
    const viewer = await system.as('VIEWER');
    const { body } = await viewer.get('/api/v1/executions?limit=1&status=FAILED,STOPPED');
    expect(body).toEqual([
      expect.objectContaining({
        execution_id: first.body.execution_id,
        created_by: developer.email,
        owned_by: [developer.email],
        created_by_request_id: 'request-17',
        status: 'FAILED',
        exit_code: 4,
        compute_platform: 'local',
        task_arn: expect.stringContaining(first.body.execution_id),
      }),
    ]);
    expect((await viewer.get('/api/v1/executions?limit=0')).body.length).toBeGreaterThan(10);
    expect((await viewer.get('/api/v1/executions?status=NONSENSE')).status).toBe(400);
  });

  it('answer 404 for an unknown execution', async () => {
    const answer = await operator.get(`/api/v1/executions/${'0'.repeat(32)}/status`);
    expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
  });
});

describe('the WebSocket of a log', () => {
  it('sends stored lines, then new lines, then a disconnect message', async () => {
    const command = 'echo one; printf "tw"; read x < barrier; echo o; echo three';
    const { body } = await run({ command: `mkfifo barrier; ${command}` });
    const id = body.execution_id;
    await until(async () => {
      const { rows } = await system.database.pool.query('SELECT 1 FROM "LogEvent" WHERE execution_id = $1', [id]);
      return rows.length === 2;
    });
    const listener = listenTo(body.websocket_url);
    await until(() => listener.lines().length === 2);
    await run({ command: `echo go > ${system.home}/executions/${id}/workspace/barrier` });
    expect(await listener.closed).toEqual({ code: 1000, reason: 'execution_completed' });
    expect(listener.lines().slice(1)).toEqual(['one', 'two', 'three']);
    expect(listener.messages.at(-1)).toEqual({ type: 'disconnect', reason: 'execution_completed' });
    const { body: logs } = await developer.get(`/api/v1/executions/${id}/logs`);
    const shown = listener.messages.flatMap((message) => (message.type === 'log' ? [message] : []));
    expect(logs.events).toEqual(shown.map(({ type: _, ...event }) => event));
  });

  it('resumes after the last event that a client has received', async () => {
    const { body } = await run({ command: 'for n in 1 2 3 4 5; do echo $n; done; sleep 64' });
    const first = listenTo(body.websocket_url);
    await until(() => first.lines().length === 6);
    first.socket.terminate();
    const third = first.messages[3];
    const { body: logs } = await developer.get(`/api/v1/executions/${body.execution_id}/logs`);
    expect(logs).toMatchObject({ events: null, status: 'RUNNING' });
    const second = listenTo(`${logs.websocket_url}&last_event_id=${third?.type === 'log' ? third.event_id : ''}`);
    await until(() => second.lines().length === 2);
    expect(second.lines()).toEqual(['4', '5']);
    await developer.delete(`/api/v1/executions/${body.execution_id}`);
    expect((await second.closed).code).toBe(1000);
  });

  it('opens once with a token, for one execution, within a minute', async () => {
    const { body } = await run({ command: 'sleep 65' });
    const first = listenTo(body.websocket_url);
    await until(() => first.lines().length === 1);
    expect(await listenTo(body.websocket_url).closed).toEqual({ code: 401, reason: 'not opened' });
    expect((await listenTo(body.websocket_url.replace(/token=.*/, 'token=guess')).closed).code).toBe(401);
    expect((await listenTo(body.websocket_url.replace(/\/ws.*/, '/other')).closed).code).toBe(404);
    const { body: logs } = await developer.get(`/api/v1/executions/${body.execution_id}/logs`);
    expect((await listenTo(`${logs.websocket_url}&last_event_id=guess`).closed).code).toBe(400);
    const { body: late } = await developer.get(`/api/v1/executions/${body.execution_id}/logs`);
    await system.database.pool.query(`UPDATE "LogToken" SET expires_at = now() - interval '1 second'`);
    expect((await listenTo(late.websocket_url).closed).code).toBe(401);
    await developer.delete(`/api/v1/executions/${body.execution_id}`);
    await first.closed;
  });

  it('sends each line once through another API process', async () => {
    const second = await startTestService({ beside: system });
    try {
      const { body } = await run({ command: 'for n in $(seq 300); do echo $n; done; sleep 0.3; echo end' });
      const listeners = [
        listenTo(body.websocket_url),
        ...(await Promise.all(
          [1, 2].map(async () => {
            const { body: logs } = await second.fetch(`/api/v1/executions/${body.execution_id}/logs`, {
              headers: { authorization: `Bearer ${developer.token}` },
            });
            return listenTo(logs.websocket_url);
          }),
        )),
      ];
      for (const { closed } of listeners) expect((await closed).code).toBe(1000);
      const expected = [...Array.from({ length: 300 }, (_, n) => String(n + 1)), 'end'];
      for (const { lines } of listeners) expect(lines().slice(1)).toEqual(expected);
    } finally {
      await second.close();
    }
  });

  it('closes with server_stopping when the server stops', async () => {
    const second = await startTestService({ beside: system });
    const { body } = await second.fetch('/api/v1/run', {
      method: 'POST',
      headers: { authorization: `Bearer ${developer.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ command: 'sleep 66' }),
    });
    const listener = listenTo(body.websocket_url);
    await until(() => listener.lines().length === 1);
    await second.close();
    expect(await listener.closed).toEqual({ code: 1001, reason: 'server_stopping' });
    expect(await toEnd(body.execution_id)).toMatchObject({ status: 'FAILED' });
  });
});
