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
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
let user: TestCaller;
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
  it('passes a third-party library that reads the JWK set', async () => {
    const keys = createRemoteJWKSet(new URL(`${system.url}/api/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(user.token, keys, {
      issuer: 'reefguide',
      algorithms: ['RS256'],
    });
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: system.keys.keyId });
    expect(payload).toMatchObject({ id: user.userId, email: user.email, roles: ['VIEWER'], iss: 'reefguide' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
  });

  it('has a signing key whose private part is not in the JWK set', async () => {
    const { body } = await system.anonymous.get('/api/.well-known/jwks.json');
    for (const key of body.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
      expect(key).toMatchObject({ kty: 'RSA', use: 'sig', alg: 'RS256' });
    }
  });

  it('authenticates its account', async () => {
    expect(await status(`Bearer ${user.token}`)).toBe(200);
  });
});

describe('authentication', () => {
  it('accepts a token of the helper that signs the faulty tokens below', async () => {
    expect(await status(`Bearer ${await signed({})}`)).toBe(200);
  });

  /** Signs claims, changed by `change`, with the server's own key. */
  const signed = async (change: JWTPayload, header: object = { kid: system.keys.keyId }) => {
    const pem = system.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return new SignJWT({ ...claims(), iss: 'reefguide', exp: seconds() + 600, ...change })
      .setProtectedHeader({ alg: 'RS256', ...header })
      .sign(await importPKCS8(pem, 'RS256'));
  };
  const base64 = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const publicPem = () => system.keys.publicKeys.get(system.keys.keyId)?.pem ?? '';
  /** Signs with HS256 and the public key as the secret. */
  const confused = (header: object) => {
    const text = `${base64(header)}.${base64({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })}`;
    return `${text}.${createHmac('sha256', publicPem()).update(text).digest('base64url')}`;
  };
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

  const tokens: [string, () => string | Promise<string>][] = [
    ['with alg none', () => new UnsecuredJWT(claims()).setIssuer('reefguide').setExpirationTime('1h').encode()],
    [
      'with alg none and a known kid',
      () =>
        `${base64({ alg: 'none', kid: system.keys.keyId })}.${base64({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })}.`,
    ],
    ['signed by HS256 with the public key', () => confused({ alg: 'HS256', typ: 'JWT', kid: system.keys.keyId })],
    [
      'signed by HS256 with the public key, labelled RS256',
      () => confused({ alg: 'RS256', typ: 'JWT', kid: system.keys.keyId }),
    ],
    ['of another issuer', () => signed({ iss: 'somebody' })],
    ['without an issuer', () => signed({ iss: undefined })],
    ['with an unknown kid', () => signed({}, { kid: 'other' })],
    ['without a kid', () => signed({}, {})],
    ['with a kid of Object.prototype', () => signed({}, { kid: 'constructor' })],
    ['that has expired', () => signed({ exp: seconds() - 1 })],
    ['that is not valid yet', () => signed({ nbf: seconds() + 600 })],
    [
      'of a foreign key under a known kid',
      () =>
        new SignJWT({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })
          .setProtectedHeader({ alg: 'RS256', kid: system.keys.keyId })
          .sign(foreign),
    ],
    ['without the claim id', () => signed({ id: undefined })],
    ['with an unknown role', () => signed({ roles: ['ROOT'] })],
    ['without the claim exp', () => signed({ exp: undefined })],
    ['with a changed signature', () => `${user.token.slice(0, -6)}AAAAAA`],
    [
      'with changed claims',
      () => {
        const [head, , signature] = user.token.split('.');
        return `${head}.${base64({ ...claims(), iss: 'reefguide', exp: seconds() + 600 })}.${signature}`;
      },
    ],
    [
      'with a payload that is not JSON',
      () => {
        const [head, , signature] = user.token.split('.');
        return `${head}.${base64('not json')}.${signature}`;
      },
    ],
    ['with a header that is not JSON', () => `${base64('not json')}.${base64(claims())}.x`],
    ['with a header that is an array', () => `${base64([])}.${base64(claims())}.x`],
    ['that is empty', () => ''],
    ['of two dots', () => '..'],
    ['of 8,000 characters', () => `a.${'b'.repeat(8000)}.c`],
  ];
  it.each(tokens)('refuses a token %s with 401', async (_, make) => {
    expect(await status(`Bearer ${await make()}`)).toBe(401);
  });

  it.each(['Basic YTpi', 'Bearer', 'nonsense', `Token abc`])(
    'refuses the header "Authorization: %s" with 401',
    async (header) => {
      expect(await status(header)).toBe(401);
    },
  );

  it('refuses a token without its scheme with 401', async () => {
    expect(await status(user.token)).toBe(401);
  });

  it('refuses a token once it has expired, although the token was accepted before', async () => {
    const short = await startTestService({ beside: system, env: { JWT_EXPIRES_IN: '2' } });
    try {
      const email = 'short@example.org';
      await short.anonymous.post('/api/auth/register', { email, password: 'long enough' });
      const { token } = (await short.anonymous.post('/api/auth/login', { email, password: 'long enough' })).body;
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

  it('names the scheme in WWW-Authenticate', async () => {
    const answer = await system.anonymous.get('/api/auth/profile');
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

  it('authenticates on every kind of route', async () => {
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

  it('is refused as soon as it is revoked', async () => {
    const key = await system.apiKey(user.userId);
    expect((await call(key, '/api/auth/profile')).status).toBe(200);
    await system.database.prisma.apiKey.updateMany({ where: { key_hash: hashSecret(key) }, data: { revoked: true } });
    expect((await call(key, '/api/auth/profile')).status).toBe(401);
  });

  it('has only the permissions of its own role', async () => {
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

  it('records the time of its use', async () => {
    const key = await system.apiKey(user.userId);
    await call(key, '/api/auth/profile');
    const row = await system.database.prisma.apiKey.findUniqueOrThrow({ where: { key_hash: hashSecret(key) } });
    expect(Date.now() - (row.last_used?.getTime() ?? 0)).toBeLessThan(60_000);
  });

  it.each(['rg_none', 'x'.repeat(5000), '%00'])('%s, which is unknown, is refused with 401', async (key) => {
    expect((await call(key, '/api/auth/profile')).status).toBe(401);
  });

  it('takes precedence over a token in the same request', async () => {
    const headers = { 'x-api-key': 'rg_none', authorization: `Bearer ${user.token}` };
    expect((await system.fetch('/api/auth/profile', { headers })).status).toBe(401);
  });
});
