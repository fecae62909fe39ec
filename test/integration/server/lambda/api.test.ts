import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { close, handler } from '../../../../src/server/lambda/api.js';
import {
  admin,
  authorize,
  type LambdaFixture,
  origin,
  parseBody,
  startLambdaFixture,
  toEventV1,
  toEventV2,
} from '../../../support/lambda.js';

let fixture: LambdaFixture;
beforeAll(async () => {
  fixture = await startLambdaFixture();
}, 60_000);
afterAll(async () => {
  await close();
  await fixture.close();
});

const login = JSON.stringify(admin);

const asJson = { 'content-type': 'application/json' };

describe('the API on Lambda', () => {
  it.each([
    ['an HTTP API', toEventV2('/api')],
    ['a REST API', toEventV1('/api')],
  ])('answers an event of %s', async (_, event) => {
    const answer = await handler(event);
    expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers).not.toHaveProperty('connection');
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    expect(parseBody(answer)).toEqual(expect.any(Object));
  });

  it.each([
    ['an HTTP API', toEventV2('/api/auth/login', { method: 'POST', headers: asJson, body: login })],
    ['a REST API', toEventV1('/api/auth/login', { method: 'POST', headers: asJson, body: login })],
    [
      'an HTTP API, in base64',
      toEventV2('/api/auth/login', {
        method: 'POST',
        body: Buffer.from(login).toString('base64'),
        isBase64Encoded: true,
      }),
    ],
    [
      'a REST API, in base64',
      toEventV1('/api/auth/login', {
        method: 'POST',
        body: Buffer.from(login).toString('base64'),
        isBase64Encoded: true,
      }),
    ],
  ])('reads the body of an event of %s', async (_, event) => {
    const answer = await handler(event);
    expect([answer.statusCode, parseBody(answer)]).toEqual([
      200,
      { token: expect.any(String), refreshToken: expect.any(String) },
    ]);
  });

  it.each([false, true])('returns text of any script unchanged (base64: %p)', async (isBase64Encoded) => {
    const headers = await authorize();
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
    const created = parseBody(
      await handler(toEventV2('/api/polygons', { method: 'POST', headers, body: JSON.stringify({ polygon }) })),
    );
    const text = { content: 'Ülme 珊瑚 🪸 "x"', polygonId: created.polygon.id };
    const body = JSON.stringify(text);
    const sent = isBase64Encoded ? Buffer.from(body).toString('base64') : body;
    const answer = await handler(toEventV2('/api/notes', { method: 'POST', headers, body: sent, isBase64Encoded }));
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
        toEventV2('/api/jobs', { query: 'limit=3&status=PENDING&x=%E7%8F%8A%20%26', headers: { authorization } }),
    ],
    [
      'a REST API',
      (authorization: string) =>
        toEventV1('/api/jobs', {
          query: { limit: ['3'], status: ['PENDING'], x: ['珊 &'] },
          headers: { authorization },
        }),
    ],
  ])('reads the query of an event of %s, encoded values included', async (_, event) => {
    const { authorization } = await authorize();
    const answer = await handler(event(authorization));
    // 400 names `x` alone, so the other parameters were read.
    expect([200, 400]).toContain(answer.statusCode);
    if (answer.statusCode === 400)
      expect(parseBody(answer).issues).toEqual([expect.objectContaining({ message: expect.stringContaining('x') })]);
  });

  it.each([
    ['404', 'an unknown path', toEventV2('/api/nothing/here')],
    ['404', 'a path that API Gateway decoded', toEventV2('/api/no thing/珊瑚%')],
    ['404', 'an unknown path of a REST API', toEventV1('/api/nothing')],
    ['400', 'bad JSON', toEventV2('/api/auth/login', { method: 'POST', headers: asJson, body: '{"email": ' })],
    ['400', 'a missing body', toEventV2('/api/auth/login', { method: 'POST', headers: asJson })],
    ['401', 'no credentials', toEventV1('/api/jobs')],
  ])('answers %s for %s', async (status, _, event) => {
    const answer = await handler(event);
    expect([answer.statusCode, parseBody(answer)]).toEqual([
      Number(status),
      expect.objectContaining({ status: Number(status), message: expect.any(String) }),
    ]);
  });

  it('returns the OpenAPI document', async () => {
    const answer = await handler(toEventV2('/api/openapi.json'));
    expect(parseBody(answer).openapi).toMatch(/^3\.1/);
  });

  it.each([
    ['an HTTP API', toEventV2],
    ['a REST API', toEventV1],
  ])('answers %s with the docs page as text and the icon as bytes', async (_, event) => {
    const page = await handler(event('/api/docs'));
    expect(page).toMatchObject({
      statusCode: 200,
      isBase64Encoded: false,
      body: expect.stringContaining('<!doctype html>'),
    });
    const icon = await handler(event('/api/docs/favicon-32x32.png'));
    expect(icon).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(icon.headers['content-type']).toBe('image/png');
    const file = createRequire(import.meta.url).resolve('swagger-ui-dist/favicon-32x32.png');
    expect(Buffer.from(icon.body, 'base64').equals(readFileSync(file))).toBe(true);
  });

  it('allows the preflight of a page of the allowed origin only', async () => {
    const preflight = (from: string) =>
      handler(
        toEventV2('/api/jobs', {
          method: 'OPTIONS',
          headers: { origin: from, 'access-control-request-method': 'POST' },
        }),
      );
    const answer = await preflight(origin);
    expect([answer.statusCode, answer.body, answer.headers['access-control-allow-origin']]).toEqual([204, '', origin]);
    expect((await preflight('https://evil.example.org')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('keeps the request id of the caller, in both formats', async () => {
    const headers = { 'X-Request-Id': 'mine-1' };
    expect((await handler(toEventV2('/api', { headers }))).headers['x-request-id']).toBe('mine-1');
    expect((await handler(toEventV1('/api', { headers }))).multiValueHeaders?.['x-request-id']).toEqual(['mine-1']);
  });

  it('limits attempts by the address that API Gateway reports, not by X-Forwarded-For of the caller', async () => {
    const attempt = (sourceIp: string, n: number) =>
      handler(
        toEventV2('/api/auth/login', {
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

  it('throws for a malformed event', async () => {
    await expect(handler({ hello: 'world' })).rejects.toThrow();
  });
});
