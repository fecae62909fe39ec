import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashSecret } from '../../../src/accounts/secret-hash.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
beforeAll(async () => {
  system = await startTestService();
});
afterAll(() => system.close());

const password = 'a reef of one’s own';
const address = () => `${randomUUID()}@example.org`;
const register = (email: string, attempt = password) =>
  system.anonymous.post('/api/auth/register', { email, password: attempt });
const login = (email: string, attempt = password) =>
  system.anonymous.post('/api/auth/login', { email, password: attempt });
const refresh = (refreshToken: string) => system.anonymous.post('/api/auth/token', { refreshToken });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const withToken = (token: string, method: string, path: string, body: object) =>
  system.fetch(path, {
    method,
    headers: { ...bearer(token), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const profile = (token: string) => system.fetch('/api/auth/profile', { headers: bearer(token) });

/** A registered account, logged in. */
async function loggedIn(email = address()) {
  const { body } = await register(email);
  const tokens = (await login(email)).body;
  return {
    email,
    userId: body.userId as number,
    token: tokens.token as string,
    refresh: tokens.refreshToken as string,
  };
}

describe('register', () => {
  it('creates an account without roles and stores the password as an argon2id hash', async () => {
    const email = address();
    const { status, body } = await register(email);
    expect(status).toBe(200);
    const user = await system.database.prisma.user.findUniqueOrThrow({ where: { id: body.userId } });
    expect(user).toMatchObject({ email, roles: [] });
    expect(user.password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('refuses an address in use, whatever its case', async () => {
    const email = address();
    await register(email);
    for (const again of [email, email.toUpperCase()]) {
      expect(await register(again)).toMatchObject({ status: 400, body: { message: 'User already exists' } });
    }
  });

  it('creates one account when two requests for an address race', async () => {
    for (let n = 0; n < 3; n += 1) {
      const email = address();
      const answers = await Promise.all([register(email), register(email.toUpperCase())]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
      expect(answers.find(({ status }) => status === 400)?.body.message).toBe('User already exists');
    }
  });

  it.each([
    ['an address without a domain', { email: 'nobody', password }, 'email'],
    ['a short password', { email: 'a@example.org', password: '1234567' }, 'password'],
    ['a password of 1,025 characters', { email: 'a@example.org', password: 'x'.repeat(1025) }, 'password'],
    ['roles', { email: 'a@example.org', password, roles: ['ADMIN'] }, ''],
  ])('refuses %s', async (_, body, path) => {
    const answer = await system.anonymous.post('/api/auth/register', body);
    expect(answer.status).toBe(400);
    expect(answer.body.issues[0].path).toBe(path);
  });
});

describe('login', () => {
  it('returns tokens, whatever the case of the address', async () => {
    const email = address();
    await register(email);
    for (const written of [email, email.toUpperCase()]) {
      const { status, body } = await login(written);
      expect(status).toBe(200);
      expect((await profile(body.token)).body.user).toMatchObject({ email, roles: [] });
    }
  });

  it('answers a wrong password and an unknown address alike', async () => {
    const email = address();
    await register(email);
    const answers = await Promise.all([login(email, 'a wrong one'), login(address())]);
    for (const { status, body } of answers)
      expect({ status, body }).toEqual({
        status: 401,
        body: { status: 401, message: 'Invalid credentials' },
      });
  });

  it('takes as long for an unknown address as for a known address', async () => {
    const email = address();
    await register(email);
    const timed = async (email: string) => {
      const startedAt = performance.now();
      await login(email, 'a wrong one');
      return performance.now() - startedAt;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      known.push(await timed(email));
      unknown.push(await timed(address()));
    }
    const median = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
    const ratio = median(known) / median(unknown);
    expect(ratio).toBeGreaterThan(1 / 3);
    expect(ratio).toBeLessThan(3);
  });
});

describe('a refresh token', () => {
  it('is exchanged for access tokens repeatedly', async () => {
    const account = await loggedIn();
    for (let n = 0; n < 2; n += 1) {
      const { status, body } = await refresh(account.refresh);
      expect(status).toBe(200);
      expect((await profile(body.token)).body.user.id).toBe(account.userId);
    }
  });

  it('is exchanged for a token with the present roles of the account', async () => {
    const account = await loggedIn();
    await system.database.prisma.user.update({ where: { id: account.userId }, data: { roles: ['ADMIN'] } });
    const { token } = (await refresh(account.refresh)).body;
    expect((await system.fetch('/api/users', { headers: bearer(token) })).status).toBe(200);
  });

  it('is stored as a hash', async () => {
    const account = await loggedIn();
    const stored = await system.database.prisma.refreshToken.findMany({ where: { user_id: account.userId } });
    expect(stored.map(({ token }) => token)).toEqual([hashSecret(account.refresh)]);
  });

  it('expires after 48 hours', async () => {
    const account = await loggedIn();
    const [stored] = await system.database.prisma.refreshToken.findMany({ where: { user_id: account.userId } });
    expect((stored?.expiry_time ?? 0) - Date.now() / 1000).toBeCloseTo(48 * 3600, -2);
    await system.database.prisma.refreshToken.updateMany({
      where: { user_id: account.userId },
      data: { expiry_time: Math.floor(Date.now() / 1000) },
    });
    expect(await refresh(account.refresh)).toMatchObject({ status: 401, body: { message: 'Invalid refresh token' } });
  });

  it.each(['nonsense', 'rt_AAAA', ' '])('%j, which is unknown, is refused', async (token) => {
    expect(await refresh(token)).toMatchObject({ status: 401, body: { message: 'Invalid refresh token' } });
  });
});

describe('logout', () => {
  it('revokes the refresh token and no other token', async () => {
    const account = await loggedIn();
    const other = (await login(account.email)).body.refreshToken;
    const { status } = await withToken(account.token, 'POST', '/api/auth/logout', { refreshToken: account.refresh });
    expect(status).toBe(204);
    expect((await refresh(account.refresh)).status).toBe(401);
    expect((await refresh(other)).status).toBe(200);
  });

  it('leaves the refresh token of another account valid', async () => {
    const [own, other] = [await loggedIn(), await loggedIn()];
    await withToken(own.token, 'POST', '/api/auth/logout', { refreshToken: other.refresh });
    expect((await refresh(other.refresh)).status).toBe(200);
  });
});

describe('change-password', () => {
  const change = (token: string, currentPassword: string, newPassword: string) =>
    withToken(token, 'POST', '/api/auth/change-password', { currentPassword, newPassword });

  it('replaces the password and revokes every refresh token of the account', async () => {
    const account = await loggedIn();
    const other = (await login(account.email)).body.refreshToken;
    expect((await change(account.token, password, 'another reef')).status).toBe(204);
    for (const token of [account.refresh, other]) expect((await refresh(token)).status).toBe(401);
    expect((await login(account.email)).status).toBe(401);
    expect((await login(account.email, 'another reef')).status).toBe(200);
  });

  it('refuses a wrong current password and changes nothing', async () => {
    const account = await loggedIn();
    expect((await change(account.token, 'a wrong one', 'another reef')).status).toBe(401);
    expect((await login(account.email)).status).toBe(200);
    expect((await refresh(account.refresh)).status).toBe(200);
  });
});

describe('a removed account', () => {
  let removed: TestCaller;
  beforeAll(async () => {
    removed = await system.as();
    await system.database.prisma.user.delete({ where: { id: removed.userId } });
  });

  it.each([
    ['/api/jobs', { type: 'TEST', inputPayload: { id: 4711 } }],
    [
      '/api/polygons',
      {
        polygon: {
          type: 'Polygon',
          coordinates: [
            [
              [0, 0],
              [1, 0],
              [1, 1],
              [0, 0],
            ],
          ],
        },
      },
    ],
    ['/api/auth/change-password', { currentPassword: password, newPassword: password }],
  ])('is refused at POST %s with 401', async (path, body) => {
    expect((await removed.post(path, body)).status).toBe(401);
  });

  it('is refused at GET /api/auth/profile with 401', async () => {
    expect((await removed.get('/api/auth/profile')).status).toBe(401);
  });
});

describe('the audit log', () => {
  it('records the actions of an account without secrets', async () => {
    const account = await loggedIn();
    await login(account.email, 'a wrong one');
    await withToken(account.token, 'POST', '/api/auth/logout', { refreshToken: account.refresh });
    const logs = await system.database.prisma.userLog.findMany({
      where: { userId: account.userId },
      orderBy: { id: 'asc' },
    });
    expect(logs.map(({ action }) => action)).toEqual(['REGISTER', 'LOGIN', 'LOGIN_FAILED', 'LOGOUT']);
    expect(JSON.stringify(logs)).not.toMatch(/reef of|wrong|rt_|eyJ/);
  });
});
