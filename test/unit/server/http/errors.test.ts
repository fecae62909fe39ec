import { describe, expect, it } from '@jest/globals';
import { type ErrorKind, ServiceError } from '../../../../src/contract/errors.js';
import { toHttpError } from '../../../../src/server/http/errors.js';

const kinds: [ErrorKind, number, string][] = [
  ['invalid', 400, 'INVALID_REQUEST'],
  ['unauthenticated', 401, 'UNAUTHORIZED'],
  ['forbidden', 403, 'FORBIDDEN'],
  ['not_found', 404, 'NOT_FOUND'],
  ['conflict', 409, 'CONFLICT'],
  ['too_large', 413, 'INVALID_REQUEST'],
  ['too_many', 429, 'INVALID_REQUEST'],
  ['unavailable', 503, 'SERVICE_UNAVAILABLE'],
];

describe('toHttpError: an expected error', () => {
  it.each(kinds)('of the kind %s is answered %d under /api', (kind, status) => {
    expect(toHttpError(new ServiceError(kind, 'message'), '/api/jobs')).toMatchObject({
      status,
      body: { status, message: 'message' },
      unexpected: false,
    });
  });

  it.each(kinds)('of the kind %s is answered %d with the code %s under /api/v1', (kind, status, code) => {
    expect(toHttpError(new ServiceError(kind, 'message'), '/api/v1/run')).toMatchObject({
      status,
      body: { error: 'message', code },
    });
  });

  it('carries its issues and fields', () => {
    const issues = [{ path: 'a', message: 'wrong' }];
    const error = new ServiceError('invalid', 'message', { issues, fields: { holder: 'x' } });
    expect(toHttpError(error, '/api').body).toEqual({ status: 400, message: 'message', issues, holder: 'x' });
    expect(toHttpError(error, '/api/v1').body).toEqual({ error: 'message', code: 'INVALID_REQUEST', details: issues });
  });

  it('carries Retry-After and WWW-Authenticate', () => {
    expect(toHttpError(new ServiceError('too_many', '', { retryAfterSeconds: 7 }), '/').headers).toEqual({
      'Retry-After': '7',
    });
    expect(toHttpError(new ServiceError('unauthenticated', ''), '/').headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
  });
});

const framework = (status: number, type?: string) =>
  Object.assign(new Error('of the framework: /srv/app/index.js'), { status, ...(type ? { type } : {}) });

describe('toHttpError: an error of the framework', () => {
  it.each([
    [framework(413, 'entity.too.large'), 413],
    [framework(400, 'entity.parse.failed'), 400],
    [framework(400, 'request.aborted'), 400],
    [framework(415, 'charset.unsupported'), 415],
    [framework(415, 'encoding.unsupported'), 415],
    [framework(400), 400],
    [framework(500), 500],
  ])('%j is answered %d without the text of the framework', (error, status) => {
    const answer = toHttpError(error, '/api');
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer)).not.toContain('/srv/app');
  });
});

const postgres = (code: string) => Object.assign(new Error('SELECT secret FROM "User"'), { code });

describe('toHttpError: a row that was removed in the meantime', () => {
  const broken = (constraint: string) => Object.assign(postgres('23503'), { constraint });

  it.each<[string, unknown, number]>([
    ['the account of the caller', broken('Job_user_id_fkey'), 401],
    ['the account of the caller, in the audit log', broken('UserLog_userId_fkey'), 401],
    ['the row that a new row refers to', broken('PolygonNote_polygon_id_fkey'), 404],
    ['the row to change', postgres('P2025'), 404],
  ])('(%s) is answered without details of the database', (_, error, status) => {
    const answer = toHttpError(error, '/api');
    expect(answer).toMatchObject({ status, unexpected: false });
    expect(JSON.stringify(answer)).not.toMatch(/fkey|SELECT/);
  });
});

describe('toHttpError: an unexpected error', () => {
  it.each<[string, unknown]>([
    ['an Error', new Error('at /srv/app/secret.js:1:2')],
    ['a syntax error of SQL', postgres('42601')],
    ['a text', 'secret'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { stack: 'secret', message: 'secret' }],
  ])('(%s) is answered 500 and leaks nothing', (_, error) => {
    for (const path of ['/api/jobs', '/api/v1/run']) {
      const { status, body, headers, unexpected } = toHttpError(error, path);
      expect(status).toBe(500);
      expect(unexpected).toBe(true);
      expect(JSON.stringify([body, headers])).not.toMatch(/secret|SELECT|srv|stack/i);
    }
  });

  it.each(['22003', '22P02', '22021'])('of a value that cannot be stored (%s) is answered 400', (code) => {
    const { status, body } = toHttpError(postgres(code), '/api');
    expect(status).toBe(400);
    expect(JSON.stringify(body)).not.toContain('SELECT');
  });

  it.each(['57P01', '08006', '53300', 'ECONNREFUSED'])('of an unavailable database (%s) is answered 503', (code) => {
    const { status, headers, body } = toHttpError(postgres(code), '/api');
    expect(status).toBe(503);
    expect(headers['Retry-After']).toBe('2');
    expect(JSON.stringify(body)).not.toContain('SELECT');
  });
});
