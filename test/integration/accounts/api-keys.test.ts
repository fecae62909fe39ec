import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
let admin: TestCaller;
beforeAll(async () => {
  system = await startTestService();
  admin = await system.as('ADMIN');
});
afterAll(() => system.close());

const address = () => `${randomUUID()}@example.org`;
const create = async (role = 'DEVELOPER', email = address()) => {
  const { status, body } = await admin.post('/api/v1/users/create', { email, role });
  return { email, status, body, token: String(body.claim_token) };
};
const claim = (token: string) => system.anonymous.get(`/api/v1/claim/${token}`);
const withKey = (key: string, path = '/api/auth/profile') => system.fetch(path, { headers: { 'x-api-key': key } });

describe('a claim token', () => {
  it('is exchanged for an API key that authenticates its account', async () => {
    const { email, status, body, token } = await create('OPERATOR');
    expect(status).toBe(201);
    expect(body.user).toEqual({ email, role: 'OPERATOR', roles: ['OPERATOR'], last_used: null, revoked: false });
    const claimed = await claim(token);
    expect(claimed.status).toBe(200);
    expect(claimed.headers.get('cache-control')).toBe('no-store');
    expect(claimed.body).toEqual({ api_key: expect.any(String), user_email: email, message: expect.any(String) });
    expect((await withKey(claimed.body.api_key)).body.user).toMatchObject({ email, roles: ['OPERATOR'] });
  });

  it('yields one key when ten claims race', async () => {
    const { email, token } = await create();
    const answers = await Promise.all(Array.from({ length: 10 }, () => claim(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(404)]);
    const { rows } = await system.database.pool.query(
      'SELECT count(*)::int AS keys FROM "ApiKey" k JOIN "User" u ON u.id = k.user_id WHERE u.email = $1',
      [email],
    );
    expect(rows).toEqual([{ keys: 1 }]);
  });

  it('expires after 15 minutes', async () => {
    const { token } = await create();
    await system.database.pool.query(`UPDATE "ClaimToken" SET expires_at = now() - interval '1 second'`);
    expect((await claim(token)).status).toBe(404);
    const fresh = await create();
    const { rows } = await system.database.pool.query(
      'SELECT extract(epoch FROM max(expires_at) - now()) / 60 AS minutes FROM "ClaimToken"',
    );
    expect(Number(rows[0].minutes)).toBeCloseTo(15, 1);
    expect((await claim(fresh.token)).status).toBe(200);
  });

  it('is answered 404 when unknown, in the form of errors under /api/v1', async () => {
    const { status, body } = await claim('claim_nothing');
    expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    expect(body.error).toContain('not valid');
  });

  it('is stored as a hash, and so is its key', async () => {
    const { token } = await create();
    const { api_key: key } = (await claim(token)).body;
    const { rows } = await system.database.pool.query(
      `SELECT token_hash AS text FROM "ClaimToken" UNION SELECT key_hash FROM "ApiKey" UNION SELECT metadata::text FROM "UserLog"`,
    );
    const stored = rows.map(({ text }) => text).join('\n');
    expect(stored).not.toContain(token);
    expect(stored).not.toContain(key);
  });
});

it('revoke: refuses the account of the caller', async () => {
  const { status, body } = await admin.post('/api/v1/users/revoke', { email: admin.email });
  expect([status, body.error]).toEqual([409, 'This is your own account: let another administrator revoke it']);
});

describe('a revoked account', () => {
  it('is refused at its next request with the code API_KEY_REVOKED', async () => {
    const { email, token } = await create();
    const { api_key: key } = (await claim(token)).body;
    expect((await admin.post('/api/v1/users/revoke', { email: email.toUpperCase() })).status).toBe(200);
    const refused = await withKey(key, '/api/v1/users');
    expect([refused.status, refused.body.code]).toEqual([401, 'API_KEY_REVOKED']);
    const { users } = (await admin.get('/api/v1/users')).body;
    expect(users).toContainEqual(expect.objectContaining({ email, revoked: true }));
  });

  it('loses its unused claim tokens', async () => {
    const { email, token } = await create();
    await admin.post('/api/v1/users/revoke', { email });
    expect((await claim(token)).status).toBe(404);
  });

  it('is answered 404 when unknown', async () => {
    expect((await admin.post('/api/v1/users/revoke', { email: address() })).status).toBe(404);
  });
});

it('an unknown API key: is refused with the code INVALID_API_KEY', async () => {
  const { status, body } = await withKey('rg_nothing', '/api/v1/users');
  expect([status, body.code]).toEqual([401, 'INVALID_API_KEY']);
});

it('create: answers 409 for an address in use, whatever its case', async () => {
  const { email } = await create();
  const again = await create('VIEWER', email.toUpperCase());
  expect([again.status, again.body.code]).toEqual([409, 'CONFLICT']);
});

it('list: shows no key and no password', async () => {
  const { token } = await create();
  const { api_key: key } = (await claim(token)).body;
  await withKey(key);
  const text = JSON.stringify((await admin.get('/api/v1/users')).body);
  expect(text).not.toMatch(/hash|password|key_|argon2/);
  expect(text).not.toContain(key);
});
