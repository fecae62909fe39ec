// The functions of AWS Lambda, invoked with what API Gateway and EventBridge send.
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import pino from 'pino';
import { generateKeys } from '../../../../src/accounts/signing-keys.js';
import { parseEnvironment, serverEnvironment } from '../../../../src/environment/server.js';
import { type Assembled, assemble } from '../../../../src/server/assemble.js';
import { close as closeApi, handler } from '../../../../src/server/lambda/api.js';
import { type GatewayAnswer, serveBehindGateway } from '../../../../src/server/lambda/api-gateway.js';
import { close as closeProcessor, handler as processor } from '../../../../src/server/lambda/processor.js';
import { createTestDatabase, type TestDatabase } from '../../../support/database.js';
import { type AwsStandIn, startAwsStandIn } from '../../../support/fakes/aws.js';
import { startTcpProxy } from '../../../support/tcp-proxy.js';

const before = { ...process.env };
const admin = { email: 'admin@example.org', password: 'an admin password' };
const worker = { email: 'worker@example.org', password: 'a worker password' };
const origin = 'https://app.example.org';
let aws: AwsStandIn;
let database: TestDatabase;
/** The same app with a shorter hold: API Gateway gives up after 29 s. */
let home: string;
let short: Assembled;
let brief: Awaited<ReturnType<typeof serveBehindGateway>>;

beforeAll(async () => {
  aws = await startAwsStandIn();
  database = await createTestDatabase();
  const { privateKey, publicKey, keyId } = await generateKeys();
  const api = { JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey, JWT_KEY_ID: keyId };
  const secret = (name: string, fields: object) => aws.putSecret(name, JSON.stringify(fields));
  Object.assign(process.env, aws.env, {
    DATABASE_URL: database.url,
    S3_BUCKET_NAME: 'results',
    ALLOWED_ORIGINS: origin,
    LOG_LEVEL: 'silent',
    API_SECRETS_ARN: secret('api', api),
    ADMIN_SECRET_ARN: secret('admin', { username: admin.email, password: admin.password }),
    WORKER_SECRET_ARN: secret('worker', { username: worker.email, password: worker.password }),
  });
  home = await mkdtemp(path.join(os.tmpdir(), 'reefguide-lambda-'));
  short = await assemble({
    environment: parseEnvironment(serverEnvironment, {
      ...process.env,
      ...api,
      NODE_ENV: 'production',
      TRUST_PROXY: '1',
    }),
    home,
    log: pino({ level: 'silent' }),
    maxRequestMs: 500,
  });
  brief = await serveBehindGateway(short.service.api);
}, 60_000);
afterAll(async () => {
  await closeApi();
  await closeProcessor();
  await brief.close();
  await short.close();
  await database.drop();
  await aws.close();
  await rm(home, { recursive: true, force: true });
  process.env = { ...before };
});

interface Sent {
  method?: string;
  query?: string;
  headers?: Record<string, string>;
  body?: string;
  isBase64Encoded?: boolean;
  cookies?: string[];
  sourceIp?: string;
}

/** What an HTTP API sends, in its second format. */
const v2 = (rawPath: string, sent: Sent = {}) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath,
  rawQueryString: sent.query ?? '',
  cookies: sent.cookies,
  headers: { host: 'api.example.org', 'x-forwarded-proto': 'https', 'x-forwarded-port': '443', ...sent.headers },
  requestContext: {
    stage: '$default',
    requestId: 'JKJaXmPLvHcESHA=',
    http: { method: sent.method ?? 'GET', path: rawPath, protocol: 'HTTP/1.1', sourceIp: sent.sourceIp ?? '192.0.2.1' },
  },
  body: sent.body,
  isBase64Encoded: sent.isBase64Encoded ?? false,
});
/** What a REST API sends. */
const v1 = (where: string, sent: Omit<Sent, 'query'> & { query?: Record<string, string[]> } = {}) => {
  const headers: Record<string, string> = { Host: 'api.example.org', ...sent.headers };
  const multiple = (one: Record<string, string>) =>
    Object.fromEntries(Object.entries(one).map(([name, value]) => [name, [value]]));
  return {
    resource: '/{proxy+}',
    path: where,
    httpMethod: sent.method ?? 'GET',
    headers,
    multiValueHeaders: multiple(headers),
    queryStringParameters: sent.query
      ? Object.fromEntries(Object.entries(sent.query).map(([name, all]) => [name, all.at(-1) ?? '']))
      : null,
    multiValueQueryStringParameters: sent.query ?? null,
    requestContext: { stage: 'prod', identity: { sourceIp: sent.sourceIp ?? '192.0.2.1' } },
    body: sent.body ?? null,
    isBase64Encoded: sent.isBase64Encoded ?? false,
  };
};
const json = (answer: GatewayAnswer) => JSON.parse(answer.body);
const asJson = { 'content-type': 'application/json' };
async function bearer(account = admin): Promise<{ authorization: string }> {
  const answer = await handler(
    v2('/api/auth/login', { method: 'POST', headers: asJson, body: JSON.stringify(account) }),
  );
  return { authorization: `Bearer ${json(answer).token}` };
}
const login = JSON.stringify(admin);

describe('the API as a function', () => {
  it.each([
    ['an HTTP API', v2('/api')],
    ['a REST API', v1('/api')],
  ])('answers what %s sends', async (_, event) => {
    const answer = await handler(event);
    expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers).not.toHaveProperty('connection');
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    expect(json(answer)).toEqual(expect.any(Object));
  });

  it.each([
    ['an HTTP API', v2('/api/auth/login', { method: 'POST', headers: asJson, body: login })],
    ['a REST API', v1('/api/auth/login', { method: 'POST', headers: asJson, body: login })],
    [
      'an HTTP API, in base64',
      v2('/api/auth/login', { method: 'POST', body: Buffer.from(login).toString('base64'), isBase64Encoded: true }),
    ],
    [
      'a REST API, in base64',
      v1('/api/auth/login', { method: 'POST', body: Buffer.from(login).toString('base64'), isBase64Encoded: true }),
    ],
  ])('logs in with the body that %s sends', async (_, event) => {
    const answer = await handler(event);
    expect([answer.statusCode, json(answer)]).toEqual([
      200,
      { token: expect.any(String), refreshToken: expect.any(String) },
    ]);
  });

  it.each([false, true])('keeps text of any script byte by byte (base64: %p)', async (isBase64Encoded) => {
    const headers = await bearer();
    const polygon = {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 0],
        ],
      ],
    };
    const created = json(
      await handler(v2('/api/polygons', { method: 'POST', headers, body: JSON.stringify({ polygon }) })),
    );
    const text = { content: 'Ülme 珊瑚 🪸 "x"', polygonId: created.polygon.id };
    const body = JSON.stringify(text);
    const sent = isBase64Encoded ? Buffer.from(body).toString('base64') : body;
    const answer = await handler(v2('/api/notes', { method: 'POST', headers, body: sent, isBase64Encoded }));
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('Ülme 珊瑚 🪸');
    expect(Number(answer.headers['content-length'] ?? Buffer.byteLength(answer.body))).toBe(
      Buffer.byteLength(answer.body),
    );
  });

  it.each([
    [
      'an HTTP API',
      (authorization: string) =>
        v2('/api/jobs', { query: 'limit=3&status=PENDING&x=%E7%8F%8A%20%26', headers: { authorization } }),
    ],
    [
      'a REST API',
      (authorization: string) =>
        v1('/api/jobs', { query: { limit: ['3'], status: ['PENDING'], x: ['珊 &'] }, headers: { authorization } }),
    ],
  ])('reads the query string that %s sends, encoded values included', async (_, event) => {
    const { authorization } = await bearer();
    const answer = await handler(event(authorization));
    // Whether the route knows `x` or not, it has read the others.
    expect([200, 400]).toContain(answer.statusCode);
    if (answer.statusCode === 400)
      expect(json(answer).issues).toEqual([expect.objectContaining({ message: expect.stringContaining('x') })]);
  });

  it.each([
    ['404', 'an unknown path', v2('/api/nothing/here')],
    ['404', 'a path that API Gateway has decoded', v2('/api/no thing/珊瑚%')],
    ['404', 'an unknown path of a REST API', v1('/api/nothing')],
    ['400', 'bad JSON', v2('/api/auth/login', { method: 'POST', headers: asJson, body: '{"email": ' })],
    ['400', 'a body that is not there', v2('/api/auth/login', { method: 'POST', headers: asJson })],
    ['401', 'no credentials', v1('/api/jobs')],
  ])('answers %s to %s', async (status, _, event) => {
    const answer = await handler(event);
    expect([answer.statusCode, json(answer)]).toEqual([
      Number(status),
      expect.objectContaining({ status: Number(status), message: expect.any(String) }),
    ]);
  });

  it('gives the OpenAPI document', async () => {
    const answer = await handler(v2('/api/openapi.json'));
    expect(json(answer).openapi).toMatch(/^3\.1/);
  });

  it.each([
    ['an HTTP API', v2],
    ['a REST API', v1],
  ])('gives %s the page of the docs as text and its picture as bytes', async (_, event) => {
    const page = await handler(event('/api/docs'));
    expect(page).toMatchObject({
      statusCode: 200,
      isBase64Encoded: false,
      body: expect.stringContaining('<!doctype html>'),
    });
    const picture = await handler(event('/api/docs/favicon-32x32.png'));
    expect(picture).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(picture.headers['content-type']).toBe('image/png');
    const { readFileSync } = await import('node:fs');
    const file = createRequire(import.meta.url).resolve('swagger-ui-dist/favicon-32x32.png');
    expect(Buffer.from(picture.body, 'base64').equals(readFileSync(file))).toBe(true);
  });

  it('answers the preflight of the page, and of no other', async () => {
    const ask = (from: string) =>
      handler(
        v2('/api/jobs', { method: 'OPTIONS', headers: { origin: from, 'access-control-request-method': 'POST' } }),
      );
    const answer = await ask(origin);
    expect([answer.statusCode, answer.body, answer.headers['access-control-allow-origin']]).toEqual([204, '', origin]);
    expect((await ask('https://evil.example.org')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('keeps the id of a request, in both formats', async () => {
    const headers = { 'X-Request-Id': 'mine-1' };
    expect((await handler(v2('/api', { headers }))).headers['x-request-id']).toBe('mine-1');
    expect((await handler(v1('/api', { headers }))).multiValueHeaders?.['x-request-id']).toEqual(['mine-1']);
  });

  it('counts attempts by the address that API Gateway saw, whatever X-Forwarded-For the caller sends', async () => {
    const attempt = (sourceIp: string, n: number) =>
      handler(
        v2('/api/auth/login', {
          method: 'POST',
          headers: { 'x-forwarded-for': `10.0.0.${n % 250}, ${sourceIp}`, forwarded: `for=10.0.1.${n % 250}` },
          body: JSON.stringify({ email: `nobody-${n}@example.org`, password: 'wrong wrong' }),
          sourceIp,
        }),
      );
    let status = 0;
    let tries = 0;
    for (; tries < 500 && status !== 429; tries += 1) ({ statusCode: status } = await attempt('198.51.100.7', tries));
    expect(status).toBe(429);
    expect((await attempt('198.51.100.8', 0)).statusCode).toBe(401);
  });

  it('refuses an event that is none', async () => {
    await expect(handler({ hello: 'world' })).rejects.toThrow();
  });
});

describe('what waits', () => {
  const within = async (event: unknown) => {
    const began = performance.now();
    const answer = await brief.handle(event);
    return { answer, ms: performance.now() - began };
  };

  it('is answered after the hold, not when it asked for', async () => {
    const headers = await bearer(worker);
    const body = JSON.stringify({ jobTypes: ['TEST'], wait: 25, ecsTaskArn: 'task', ecsClusterArn: 'cluster' });
    const { answer, ms } = await within(v2('/api/jobs/claim', { method: 'POST', headers, body }));
    expect([answer.statusCode, json(answer)]).toEqual([200, { claims: [] }]);
    expect(ms).toBeGreaterThan(400);
    expect(ms).toBeLessThan(10_000);
  });

  it('as server-sent events ends with the events until then', async () => {
    const headers = await bearer();
    const job = { type: 'TEST', inputPayload: { id: 1, note: '珊瑚' } };
    const { jobId } = json(
      await handler(
        v2('/api/jobs', { method: 'POST', headers, body: JSON.stringify({ ...job, inputPayload: { id: 1 } }) }),
      ),
    );
    const { answer, ms } = await within(v2(`/api/jobs/${jobId}/events`, { headers }));
    expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.body).toMatch(/^event: job\ndata: \{.*\}\n\n$/);
    expect(ms).toBeGreaterThan(400);
    expect(ms).toBeLessThan(10_000);
  });

  it('was answered, and is counted as that', async () => {
    expect((await brief.handle(v2('/metrics'))).body).toMatch(/route="\/api\/jobs\/claim",status="200"/);
    expect((await brief.handle(v2('/metrics'))).body).not.toContain('status="499"');
  });
});

describe('the event processor as a function', () => {
  const stopped = (taskArn: string) => ({
    version: '0',
    id: 'c8e3a3e6-0000-4000-8000-000000000000',
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    account: '123456789012',
    time: '2026-03-01T04:05:06Z',
    region: 'ap-southeast-2',
    resources: [taskArn],
    detail: {
      clusterArn: 'arn:aws:ecs:test:0:cluster/c',
      taskArn,
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stoppedReason: 'Essential container in task exited',
      containers: [{ exitCode: 137, lastStatus: 'STOPPED', name: 'worker' }],
    },
  });

  it('frees the job of a task that stopped, and changes nothing when told again', async () => {
    const [user, machine] = [await bearer(), await bearer(worker)];
    const inputPayload = { region: 'one', reef_type: 'slopes' };
    const created = { type: 'REGIONAL_ASSESSMENT', inputPayload };
    const { jobId } = json(
      await handler(v2('/api/jobs', { method: 'POST', headers: user, body: JSON.stringify(created) })),
    );
    const ecsTaskArn = 'arn:aws:ecs:test:0:task/c/1';
    const claim = { jobTypes: ['REGIONAL_ASSESSMENT'], ecsTaskArn, ecsClusterArn: 'arn:aws:ecs:test:0:cluster/c' };
    await handler(v2('/api/jobs/claim', { method: 'POST', headers: machine, body: JSON.stringify(claim) }));
    const status = async () => json(await handler(v2(`/api/jobs/${jobId}`, { headers: user }))).job.status;
    expect(await status()).toBe('IN_PROGRESS');
    expect(await processor(stopped(ecsTaskArn))).toEqual({ applied: true, jobs: [jobId], executions: [], stored: 0 });
    expect(await status()).toBe('PENDING');
    expect(await processor(stopped(ecsTaskArn))).toEqual({ applied: false, jobs: [], executions: [], stored: 0 });
    expect(await status()).toBe('PENDING');
  });

  it.each([{}, null, 'text', { 'detail-type': 'ECS Task State Change' }, { 'detail-type': 3 }])(
    'is done with the event %p, which it will never know',
    async (event) => {
      expect(await processor(event)).toEqual({ applied: false, jobs: [], executions: [], stored: 0 });
    },
  );

  it('throws when the database is away, so that the event is delivered again', async () => {
    const { hostname, port } = new URL(database.url);
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const url = new URL(database.url);
    url.host = `${proxy.host}:${proxy.port}`;
    await new pg.Client({ connectionString: url.href }).end();
    const away = await assemble({
      environment: parseEnvironment(serverEnvironment, { ...process.env, DATABASE_URL: url.href }),
      home,
      log: pino({ level: 'silent' }),
    });
    try {
      expect(await away.service.processEvent(stopped('arn:aws:ecs:test:0:task/c/2'))).toEqual({
        applied: false,
        jobs: [],
        executions: [],
        stored: 0,
      });
      await proxy.refuse();
      await expect(away.service.processEvent(stopped('arn:aws:ecs:test:0:task/c/2'))).rejects.toThrow();
    } finally {
      await away.close();
      await proxy.close();
    }
  });
});
