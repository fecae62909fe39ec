import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  importPKCS8,
  type JWTPayload,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { hashSecret } from '../../../src/accounts/secret-hash.js';
import { type Caller, startTestService, type TestService } from '../../support/service.js';

let system: TestService;
let user: Caller;
beforeAll(async () => {
  system = await startTestService();
  user = await system.as('VIEWER');
});
afterAll(() => system.close());

const status = async (authorization: string) =>
  (await system.fetch('/api/auth/profile', { headers: { authorization } })).status;

const claims = (): JWTPayload => ({ id: user.userId, email: user.email, roles: ['ADMIN'] });
const seconds = () => Math.floor(Date.now() / 1000);

describe('an access token', () => {
  it('is verified by a library that knows nothing of us, through the JWK set', async () => {
    const keys = createRemoteJWKSet(new URL(`${system.url}/api/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(user.token, keys, {
      issuer: 'reefguide',
      algorithms: ['RS256'],
    });
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: system.keys.keyId });
    expect(payload).toMatchObject({ id: user.userId, email: user.email, roles: ['VIEWER'], iss: 'reefguide' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
  });

  it('comes from a key whose private part is not in the JWK set', async () => {
    const { body } = await system.anybody.get('/api/.well-known/jwks.json');
    for (const key of body.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
      expect(key).toMatchObject({ kty: 'RSA', use: 'sig', alg: 'RS256' });
    }
  });

  it('is taken by the API', async () => {
    expect(await status(`Bearer ${user.token}`)).toBe(200);
  });
});

describe('refused with 401:', () => {
  it('(a token signed as those below would be taken, were it not for their fault)', async () => {
    expect(await status(`Bearer ${await signed({})}`)).toBe(200);
  });

  /** Signs with our own key, as only a mistake of ours would. */
  const signed = async (change: JWTPayload, header: object = { kid: system.keys.keyId }) => {
    const pem = system.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return new SignJWT({ ...claims(), iss: 'reefguide', exp: seconds() + 600, ...change })
      .setProtectedHeader({ alg: 'RS256', ...header })
      .sign(await importPKCS8(pem, 'RS256'));
  };
  const base64 = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const publicPem = () => system.keys.publicKeys.get(system.keys.keyId)?.pem ?? '';
  /** HS256 with the public key as the secret. */
  const confused = (header: object) => {
    const text = `${base64(header)}.${base64({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })}`;
    return `${text}.${createHmac('sha256', publicPem()).update(text).digest('base64url')}`;
  };
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

  const tokens: [string, () => string | Promise<string>][] = [
    ['alg none', () => new UnsecuredJWT(claims()).setIssuer('reefguide').setExpirationTime('1h').encode()],
    [
      'alg none with our kid',
      () =>
        `${base64({ alg: 'none', kid: system.keys.keyId })}.${base64({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })}.`,
    ],
    ['HS256 signed with the public key', () => confused({ alg: 'HS256', typ: 'JWT', kid: system.keys.keyId })],
    [
      'HS256 signed with the public key, called RS256',
      () => confused({ alg: 'RS256', typ: 'JWT', kid: system.keys.keyId }),
    ],
    ['another issuer', () => signed({ iss: 'somebody' })],
    ['no issuer', () => signed({ iss: undefined })],
    ['an unknown kid', () => signed({}, { kid: 'other' })],
    ['no kid', () => signed({}, {})],
    ['a kid of Object.prototype', () => signed({}, { kid: 'constructor' })],
    ['an end in the past', () => signed({ exp: seconds() - 1 })],
    ['a beginning in the future', () => signed({ nbf: seconds() + 600 })],
    [
      'a foreign key under our kid',
      () =>
        new SignJWT({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })
          .setProtectedHeader({ alg: 'RS256', kid: system.keys.keyId })
          .sign(foreign),
    ],
    ['claims without an id', () => signed({ id: undefined })],
    ['claims with an unknown role', () => signed({ roles: ['ROOT'] })],
    ['claims without an end', () => signed({ exp: undefined })],
    ['a changed signature', () => `${user.token.slice(0, -6)}AAAAAA`],
    [
      'changed claims',
      () => {
        const [head, , signature] = user.token.split('.');
        return `${head}.${base64({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })}.${signature}`;
      },
    ],
    [
      'a payload that is not JSON',
      () => {
        const [head, , signature] = user.token.split('.');
        return `${head}.${base64('not json')}.${signature}`;
      },
    ],
    ['a header that is not JSON', () => `${base64('not json')}.${base64(claims())}.x`],
    ['a header that is an array', () => `${base64([])}.${base64(claims())}.x`],
    ['no token', () => ''],
    ['two dots', () => '..'],
    ['a very long token', () => `a.${'b'.repeat(8000)}.c`],
  ];
  it.each(tokens)('%s', async (_, make) => {
    expect(await status(`Bearer ${await make()}`)).toBe(401);
  });

  it.each(['Basic YTpi', 'Bearer', 'nonsense', `Token abc`])('the header "Authorization: %s"', async (header) => {
    expect(await status(header)).toBe(401);
  });

  it('a token without its scheme', async () => {
    expect(await status(user.token)).toBe(401);
  });

  it('a good token once it has ended, though it was taken before', async () => {
    const short = await startTestService({ beside: system, env: { JWT_EXPIRES_IN: '1' } });
    try {
      const email = 'short@example.org';
      await short.anybody.post('/api/auth/register', { email, password: 'long enough' });
      const { token } = (await short.anybody.post('/api/auth/login', { email, password: 'long enough' })).body;
      const answers: number[] = [];
      for (const until = Date.now() + 10_000; Date.now() < until && answers.at(-1) !== 401; ) {
        answers.push(
          (await short.fetch('/api/auth/profile', { headers: { authorization: `Bearer ${token}` } })).status,
        );
      }
      expect([answers[0], answers.at(-1)]).toEqual([200, 401]);
    } finally {
      await short.close();
    }
  });

  it('and says how to authenticate', async () => {
    const answer = await system.anybody.get('/api/auth/profile');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(decodeProtectedHeader(user.token).alg).toBe('RS256');
  });
});

describe('an API key', () => {
  const call = (key: string, path: string, init: RequestInit = {}) =>
    system.fetch(path, { ...init, headers: { 'content-type': 'application/json', 'x-api-key': key } });
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

  it('opens every kind of route as its account does', async () => {
    const admin = await system.as('ADMIN');
    const key = await system.apiKey(admin.userId);
    const answers = await Promise.all([
      call(key, '/api/auth/profile'),
      call(key, '/api/users'),
      call(key, '/api/polygons', { method: 'POST', body: JSON.stringify({ polygon }) }),
      call(key, '/api/notes'),
      call(key, '/api/jobs', { method: 'POST', body: JSON.stringify({ type: 'TEST', inputPayload: { id: 1 } }) }),
      call(key, '/api/jobs/poll'),
      call(key, '/api/jobs/demand'),
      call(key, '/api/capacity/status'),
      call(key, '/api/admin/init'),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
  });

  it('stops at once when it is revoked', async () => {
    const key = await system.apiKey(user.userId);
    expect((await call(key, '/api/auth/profile')).status).toBe(200);
    await system.database.prisma.apiKey.updateMany({ where: { key_hash: hashSecret(key) }, data: { revoked: true } });
    expect((await call(key, '/api/auth/profile')).status).toBe(401);
  });

  it('is limited by a role of its own', async () => {
    const admin = await system.as('ADMIN');
    const key = await system.apiKey(admin.userId, 'WORKER');
    expect((await call(key, '/api/jobs/poll')).status).toBe(200);
    for (const path of ['/api/users', '/api/jobs', '/api/polygons', '/api/jobs/demand']) {
      expect((await call(key, path)).status).toBe(403);
    }
  });

  it('is stored hashed', async () => {
    const key = await system.apiKey(user.userId);
    const rows = await system.database.prisma.apiKey.findMany({ where: { user_id: user.userId } });
    expect(rows.map(({ key_hash }) => key_hash)).toContain(hashSecret(key));
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  it('notes when it was used', async () => {
    const key = await system.apiKey(user.userId);
    await call(key, '/api/auth/profile');
    const row = await system.database.prisma.apiKey.findUniqueOrThrow({ where: { key_hash: hashSecret(key) } });
    expect(Date.now() - (row.last_used?.getTime() ?? 0)).toBeLessThan(60_000);
  });

  it.each(['rg_none', 'x'.repeat(5000), '%00'])('that is none is refused', async (key) => {
    expect((await call(key, '/api/auth/profile')).status).toBe(401);
  });

  it('counts before a token that is sent with it', async () => {
    const headers = { 'x-api-key': 'rg_none', authorization: `Bearer ${user.token}` };
    expect((await system.fetch('/api/auth/profile', { headers })).status).toBe(401);
  });
});
