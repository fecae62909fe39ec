import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { generateKeys, type KeyPairPem, readKeys } from '../../../src/accounts/signing-keys.js';
import { startTestService, type TestService } from '../../support/service.js';

let old: KeyPairPem;
let fresh: KeyPairPem;
let before: TestService;
beforeAll(async () => {
  [old, fresh] = [await generateKeys(), await generateKeys()];
  before = await startTestService({ keys: readKeys(old) });
});
afterAll(() => before.close());

const account = { email: 'ranger@example.org', password: 'long enough' };
const login = async (system: TestService) => (await system.anonymous.post('/api/auth/login', account)).body;
const profile = async (system: TestService, token: string) =>
  (await system.fetch('/api/auth/profile', { headers: { authorization: `Bearer ${token}` } })).status;
const published = async (system: TestService): Promise<string[]> =>
  (await system.anonymous.get('/api/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);

describe('a rotation of the signing key', () => {
  it('accepts old tokens until the previous key is removed, and signs new tokens with the new key', async () => {
    await before.anonymous.post('/api/auth/register', account);
    const { token, refreshToken } = await login(before);
    expect(decodeProtectedHeader(token).kid).toBe(old.keyId);

    const during = await startTestService({ beside: before, keys: readKeys(fresh, old) });
    try {
      expect(await profile(during, token)).toBe(200);
      expect(await published(during)).toEqual([fresh.keyId, old.keyId]);
      expect(decodeProtectedHeader((await login(during)).token).kid).toBe(fresh.keyId);
      const renewed = await during.anonymous.post('/api/auth/token', { refreshToken });
      expect(decodeProtectedHeader(renewed.body.token).kid).toBe(fresh.keyId);
    } finally {
      await during.close();
    }

    const after = await startTestService({ beside: before, keys: readKeys(fresh) });
    try {
      expect(await profile(after, token)).toBe(401);
      expect(await published(after)).toEqual([fresh.keyId]);
      expect(await profile(after, (await login(after)).token)).toBe(200);
    } finally {
      await after.close();
    }
  });
});
