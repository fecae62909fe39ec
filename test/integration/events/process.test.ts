// What a provider tells the event processor of executions: ends, lines, subscribers behind a gateway.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SetupError } from '../../../src/contract/errors.js';
import { type RecordedRunner, recordedRunner } from '../../support/command-runner.js';
import { startSocketGateway } from '../../support/fakes/socket-gateway.js';
import { type Caller, startTestService, type TestService } from '../../support/service.js';
import { listenTo } from '../../support/sockets.js';
import { until } from '../../support/until.js';

let system: TestService;
let operator: Caller;
let runner: RecordedRunner;
let gateway: Awaited<ReturnType<typeof startSocketGateway>>;
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  runner = recordedRunner();
  gateway = await startSocketGateway();
  system = await startTestService({ runner, env: { WEBSOCKET_API_ENDPOINT: gateway.endpoint } });
  await system.service.seed();
  operator = await system.as('OPERATOR');
});
afterAll(async () => {
  await system.close();
  await gateway.close();
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
});

const send = async (event: unknown) => {
  const response = await fetch(`${system.processorUrl}/process`, { method: 'POST', body: JSON.stringify(event) });
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers freely
  const body: any = await response.json();
  return { status: response.status, body };
};
const taskIs = (taskArn: string, lastStatus: string, more: object = {}) =>
  send({
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    detail: { taskArn, lastStatus, ...more },
  });
const exited = (exitCode: number) => ({
  stoppedReason: 'Essential container in task exited',
  stopCode: 'EssentialContainerExited',
  containers: [
    { name: 'git', exitCode: 0 },
    { name: 'main', exitCode },
  ],
});
const packed = (content: unknown) => ({ awslogs: { data: gzipSync(JSON.stringify(content)).toString('base64') } });
const logged = (taskArn: string, logEvents: { id: string; timestamp: number; message: string }[]) =>
  packed({
    messageType: 'DATA_MESSAGE',
    owner: '123456789012',
    logGroup: 'executions',
    logStream: `execution/main/${taskArn.split('/').pop()}`,
    subscriptionFilters: ['Lines'],
    logEvents,
  });
let eventNumber = 0;
const line = (message: string, timestamp = 1_760_000_000_000) => {
  eventNumber += 1;
  return { id: `3719${String(eventNumber).padStart(52, '0')}`, timestamp, message };
};

const run = async (body: object = {}) => {
  const answer = await operator.post('/api/v1/run', { command: 'sleep 1', ...body });
  expect(answer.status).toBe(202);
  const { rows } = await system.database.pool.query('SELECT task_arn FROM "Execution" WHERE execution_id = $1', [
    answer.body.execution_id,
  ]);
  return { id: answer.body.execution_id, taskArn: rows[0].task_arn, url: answer.body.websocket_url };
};
const stateOf = async (id: string) => (await operator.get(`/api/v1/executions/${id}/status`)).body;
const linesOf = async (id: string): Promise<string[]> =>
  (await operator.get(`/api/v1/executions/${id}/logs`)).body.events.map((one: { message: string }) => one.message);

describe('a task', () => {
  it('is launched from its image’s definition, with its variables and its time', async () => {
    await run({ env: { A: 'b' }, timeout: 60, git_repo: 'https://user:hunter2@example.org/x.git', git_path: 'a' });
    expect(runner.started.at(-1)).toMatchObject({
      command: 'sleep 1',
      env: { A: 'b' },
      timeoutSeconds: 60,
      taskDefinition: expect.stringContaining('task-definition/ubuntu-24-04:1'),
      git: { repo: 'https://example.org/x.git', token: 'hunter2', path: 'a' },
    });
    const { body } = await operator.get('/api/v1/executions?limit=1');
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(body[0].git_repo).toBe('https://example.org/x.git');
  });

  it('that runs, and stops, makes its execution run and end', async () => {
    const { id, taskArn } = await run();
    expect((await taskIs(taskArn, 'RUNNING')).body).toMatchObject({ applied: true, executions: [id] });
    expect((await stateOf(id)).status).toBe('RUNNING');
    expect((await taskIs(taskArn, 'STOPPED', exited(0))).body).toMatchObject({ applied: true, executions: [id] });
    expect(await stateOf(id)).toMatchObject({ status: 'SUCCEEDED', exit_code: 0 });
  });

  it.each([
    ['exits with a code', exited(3), 'FAILED', 3, undefined],
    ['was stopped after its time', exited(124), 'FAILED', 124, undefined],
    [
      'has no checkout',
      {
        stoppedReason: 'Essential container in task exited',
        containers: [{ name: 'git', exitCode: 128 }, { name: 'main' }],
      },
      'FAILED',
      128,
      undefined,
    ],
    [
      'never started',
      { stoppedReason: 'Task failed to start', containers: [{ name: 'main', reason: 'CannotPullContainerError: x' }] },
      'FAILED',
      null,
      '[reefguide] the task stopped: Task failed to start (CannotPullContainerError: x)',
    ],
  ])('that %s ends so', async (_, detail, status, exit_code, note) => {
    const { id, taskArn } = await run();
    await taskIs(taskArn, 'STOPPED', detail);
    expect(await stateOf(id)).toMatchObject({ status, exit_code });
    expect(await linesOf(id)).toEqual(note === undefined ? [] : [note]);
  });

  it('changes nothing by events that come again, late or out of order', async () => {
    const { id, taskArn } = await run();
    await taskIs(taskArn, 'STOPPED', exited(5));
    const before = (await operator.get('/api/v1/executions?limit=1')).body;
    for (const [status, detail] of [
      ['STOPPED', exited(5)],
      ['RUNNING', {}],
      ['STOPPED', exited(0)],
      ['PENDING', {}],
    ] as const)
      expect(await taskIs(taskArn, status, detail)).toMatchObject({ status: 200, body: { applied: false } });
    expect((await operator.get('/api/v1/executions?limit=1')).body).toEqual(before);
    expect((await stateOf(id)).exit_code).toBe(5);
  });

  it('is known by what it was started for, before its ARN is recorded, which it then is', async () => {
    const { id } = await run();
    const { pool } = system.database;
    await pool.query('UPDATE "Execution" SET task_arn = NULL WHERE execution_id = $1', [id]);
    await taskIs('arn:aws:ecs:x:1:task/c/0123', 'RUNNING', { startedBy: id });
    expect((await stateOf(id)).status).toBe('RUNNING');
    const { rows } = await pool.query('SELECT task_arn FROM "Execution" WHERE execution_id = $1', [id]);
    expect(rows).toEqual([{ task_arn: 'arn:aws:ecs:x:1:task/c/0123' }]);
  });

  it('whose launch was taken for failed is stopped when it runs', async () => {
    const { start } = runner;
    let taskArn = '';
    runner.start = async (request) => {
      taskArn = (await start(request)).taskArn;
      throw new SetupError('ecs:RunTask: the connection was lost');
    };
    const answer = await operator.post('/api/v1/run', { command: 'sleep 1000' });
    runner.start = start;
    expect(answer.status).toBe(503);
    const [{ execution_id: startedBy, status }] = (await operator.get('/api/v1/executions?limit=1')).body;
    expect(status).toBe('FAILED');
    await taskIs(taskArn, 'RUNNING', { startedBy });
    expect(runner.stopped).toContain(taskArn);
    expect((await stateOf(startedBy)).status).toBe('FAILED');
  });

  it('is stopped by who may, and its execution has stopped when the task has', async () => {
    const { id, taskArn } = await run();
    await taskIs(taskArn, 'RUNNING');
    expect((await operator.delete(`/api/v1/executions/${id}`)).status).toBe(200);
    expect(runner.stopped).toContain(taskArn);
    expect((await stateOf(id)).status).toBe('TERMINATING');
    expect((await operator.delete(`/api/v1/executions/${id}`)).status).toBe(200);
    await taskIs(taskArn, 'STOPPED', exited(143));
    expect(await stateOf(id)).toMatchObject({ status: 'STOPPED', exit_code: 130 });
    expect((await operator.delete(`/api/v1/executions/${id}`)).status).toBe(204);
  });
});

describe('lines', () => {
  it('are stored once, in time order, without what must not be seen', async () => {
    const { id, taskArn } = await run({ env: { API_KEY: 'hunter2-key' } });
    const [first, second, third] = [line('one', 1_000), line('with hunter2-key', 3_000), line('in between', 2_000)];
    expect((await send(logged(taskArn, [first, second]))).body).toMatchObject({ applied: true, stored: 2 });
    expect((await send(logged(taskArn, [first, second]))).body).toMatchObject({ applied: false, stored: 0 });
    expect((await send(logged(taskArn, [second, third]))).body).toMatchObject({ applied: true, stored: 1 });
    await taskIs(taskArn, 'STOPPED', exited(0));
    expect(await linesOf(id)).toEqual(['one', 'in between', 'with ***']);
  });

  it('that were not announced yet are there when the task has stopped', async () => {
    const { id, taskArn } = await run();
    const [first, last] = [line('first'), line('last')];
    await send(logged(taskArn, [first]));
    runner.kept.set(taskArn, [first, last]);
    await taskIs(taskArn, 'STOPPED', exited(0));
    await send(logged(taskArn, [last]));
    expect(await linesOf(id)).toEqual(['first', 'last']);
  });

  it('of a task that nobody knows are answered 200', async () => {
    const answer = await send(logged('task/unknown', [line('x')]));
    expect(answer).toEqual({ status: 200, body: { applied: false, jobs: [], executions: [], stored: 0 } });
  });

  it('are announced beforehand by a message that is none', async () => {
    const control = packed({ messageType: 'CONTROL_MESSAGE', logEvents: [] });
    expect(await send(control)).toMatchObject({ status: 200, body: { applied: false } });
  });

  it.each([
    ['no base64 of gzip', { awslogs: { data: 'AAAA' } }],
    ['no JSON', { awslogs: { data: gzipSync('no JSON').toString('base64') } }],
    ['another form', packed({ messageType: 'DATA_MESSAGE', logEvents: 3 })],
    ['far too much', { awslogs: { data: gzipSync(Buffer.alloc(80_000_000)).toString('base64') } }],
  ])('that are %s are answered 400', async (_, event) => {
    expect((await send(event)).status).toBe(400);
  });
});

describe('a subscriber behind a gateway', () => {
  let connections = 0;
  const connect = (url: string) => {
    connections += 1;
    const connectionId = `connection=${connections}`;
    const token = new URL(url).searchParams.get('token') ?? '';
    const event = (routeKey: string) => ({
      requestContext: { routeKey, connectionId, domainName: 'abc.execute-api.x.amazonaws.com', stage: 'production' },
      ...(routeKey === '$connect' ? { queryStringParameters: { token } } : {}),
    });
    return { connectionId, event };
  };

  it('is sent what was logged so far when it speaks, then the rest, then goodbye', async () => {
    const { taskArn, url } = await run();
    expect(url).toContain(`${gateway.endpoint}?token=`);
    await send(logged(taskArn, [line('one')]));
    const { connectionId, event } = connect(url);
    expect((await send(event('$connect'))).body).toMatchObject({ applied: true, statusCode: 200 });
    expect((await send(event('$default'))).body).toMatchObject({ applied: true, statusCode: 200 });
    expect(gateway.lines(connectionId)).toEqual(['one']);
    const batch = logged(taskArn, [line('two'), line('three')]);
    await Promise.all([send(batch), send(batch), send(event('$default'))]);
    expect(gateway.lines(connectionId)).toEqual(['one', 'two', 'three']);
    await taskIs(taskArn, 'STOPPED', exited(0));
    expect(gateway.sent.get(connectionId)?.at(-1)).toEqual({ type: 'disconnect', reason: 'execution_completed' });
    expect(gateway.closed).toContain(connectionId);
    expect((await send(event('$disconnect'))).body).toMatchObject({ applied: false, statusCode: 200 });
  });

  it('is refused with a token that is none, or was used', async () => {
    const { url } = await run();
    expect((await send(connect(url).event('$connect'))).body.statusCode).toBe(200);
    expect((await send(connect(url).event('$connect'))).body).toMatchObject({ applied: false, statusCode: 401 });
    expect((await send(connect('ws://x?token=guess').event('$connect'))).body.statusCode).toBe(401);
  });

  it('that another process has taken meanwhile is left to that one', async () => {
    const { taskArn, url } = await run();
    const { connectionId, event } = connect(url);
    await send(event('$connect'));
    const text = `UPDATE "LogConnection" SET after = 7, busy_until = now() + interval '1 minute' WHERE connection_id = $1`;
    gateway.onMessage = async (id, count) => {
      if (id === connectionId && count === 150) await system.database.pool.query(text, [connectionId]);
    };
    await send(
      logged(
        taskArn,
        Array.from({ length: 450 }, (_, n) => line(`line ${n}`)),
      ),
    );
    // Up to where it would have recorded its place.
    expect(gateway.lines(connectionId)).toEqual(Array.from({ length: 200 }, (_, n) => `line ${n}`));
    const { rows } = await system.database.pool.query(
      'SELECT after::int, busy_until > now() AS held FROM "LogConnection" WHERE connection_id = $1',
      [connectionId],
    );
    expect(rows).toEqual([{ after: 7, held: true }]);
  });

  it('that has hung up is forgotten, and keeps nobody waiting', async () => {
    const { taskArn, url } = await run();
    const { connectionId, event } = connect(url);
    await send(event('$connect'));
    gateway.gone.add(connectionId);
    expect((await send(logged(taskArn, [line('one')]))).status).toBe(200);
    const { rows } = await system.database.pool.query('SELECT 1 FROM "LogConnection" WHERE connection_id = $1', [
      connectionId,
    ]);
    expect(rows).toEqual([]);
  });
});

it('lines that come as events reach who listens to this server, the last ones too', async () => {
  const { id, taskArn, url } = await run();
  const token = new URL(url).searchParams.get('token');
  const listener = listenTo(`${system.url.replace('http', 'ws')}/ws?token=${token}`);
  await send(logged(taskArn, [line('one')]));
  await until(() => listener.lines().length === 1);
  await taskIs(taskArn, 'STOPPED', exited(0));
  await send(logged(taskArn, [line('late')]));
  expect((await listener.closed).code).toBe(1000);
  expect(listener.lines()).toEqual(['one', 'late']);
  expect(await linesOf(id)).toEqual(['one', 'late']);
});

it('whatever is sent is answered 200 or 400', async () => {
  const { taskArn } = await run();
  const valid = [
    { 'detail-type': 'ECS Task State Change', detail: { taskArn, lastStatus: 'STOPPED', ...exited(0) } },
    { 'detail-type': 'Scheduled Event' },
    logged(taskArn, [line('x')]),
    { requestContext: { routeKey: '$connect', connectionId: 'x' }, queryStringParameters: { token: 'x' } },
  ];
  const junk = fc.oneof(
    fc.constantFrom('', '\0', '\ud800', 'x'.repeat(3_000), null, -1, 1e308, [], {}, '$default', 'STOPPED', 'RUNNING'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const spoiled = fc
    .tuple(fc.constantFrom(...valid), fc.array(fc.nat(20), { maxLength: 5 }), junk)
    .map(([event, path, value]) => spoil(event, path, value));
  await fc.assert(
    fc.asyncProperty(fc.oneof(spoiled, fc.jsonValue()), async (event) => {
      expect([200, 400]).toContain((await send(event)).status);
    }),
    { numRuns: 300 },
  );
}, 30_000);

/** The value with another one somewhere in it. */
function spoil(value: unknown, [at, ...path]: number[], by: unknown): unknown {
  if (at === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[at % keys.length] ?? '';
  const changed = spoil(Reflect.get(value, key), path, by);
  if (Array.isArray(value)) return value.map((item, n) => (String(n) === key ? changed : item));
  return { ...value, [key]: changed };
}
