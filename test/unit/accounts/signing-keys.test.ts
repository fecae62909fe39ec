import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  generateKeys,
  type KeyPairPem,
  readKeys,
  readKeyToRotate,
  toJwkSet,
  toKeyVariables,
} from '../../../src/accounts/signing-keys.js';

let first: KeyPairPem;
let second: KeyPairPem;
let third: KeyPairPem;
beforeAll(async () => {
  [first, second, third] = [await generateKeys(), await generateKeys(), await generateKeys()];
});

const toPrevious = (variables: Record<string, string>) => ({
  publicKey: variables.JWT_PREVIOUS_PUBLIC_KEY ?? '',
  keyId: variables.JWT_PREVIOUS_KEY_ID ?? '',
});

describe('readKeys', () => {
  it('signs with the pair and verifies with the previous key too', () => {
    const keys = readKeys(second, first);
    expect(keys.keyId).toBe(second.keyId);
    expect([...keys.publicKeys.keys()]).toEqual([second.keyId, first.keyId]);
    expect(toJwkSet(keys).keys.map(({ kid, kty }) => [kid, kty])).toEqual([
      [second.keyId, 'RSA'],
      [first.keyId, 'RSA'],
    ]);
  });

  it('accepts keys whose line breaks are written as \\n', () => {
    const oneLine = (pem: string) => pem.replaceAll('\n', '\\n');
    const pair = { ...second, privateKey: oneLine(second.privateKey), publicKey: oneLine(second.publicKey) };
    expect(readKeys(pair, { ...first, publicKey: oneLine(first.publicKey) }).publicKeys.size).toBe(2);
  });

  it('ignores a previous key with the id of the pair', () => {
    const keys = readKeys(second, { publicKey: first.publicKey, keyId: second.keyId });
    expect(keys.publicKeys.size).toBe(1);
    expect(keys.publicKeys.get(second.keyId)?.pem).toBe(second.publicKey);
  });

  const elliptic = () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
  it.each([
    ['not a key', () => 'hunter2'],
    ['half a key', () => first.publicKey.slice(0, 100)],
    ['a key that is not RSA', elliptic],
  ])('refuses a previous key that is %s, without showing it', (_, make) => {
    const publicKey = make();
    expect(() => readKeys(second, { publicKey, keyId: 'old' })).toThrow(/^Invalid JWT_PREVIOUS_PUBLIC_KEY: /);
    expect(() => readKeys(second, { publicKey, keyId: 'old' })).not.toThrow(publicKey);
  });

  it('refuses a public key of another pair', () => {
    expect(() => readKeys({ ...first, publicKey: second.publicKey })).toThrow('do not belong together');
  });
});

describe('a rotation', () => {
  it('makes the present key the previous key, and a second rotation replaces the previous key', () => {
    const before = toKeyVariables(first);
    expect(before).not.toHaveProperty('JWT_PREVIOUS_KEY_ID');
    const once = { ...before, ...toKeyVariables(second, readKeyToRotate(before, 'here')) };
    expect(toPrevious(once)).toEqual({ publicKey: first.publicKey, keyId: first.keyId });
    const twice = { ...once, ...toKeyVariables(third, readKeyToRotate(once, 'here')) };
    expect(toPrevious(twice)).toEqual({ publicKey: second.publicKey, keyId: second.keyId });
    expect([...readKeys(third, toPrevious(twice)).publicKeys.keys()]).toEqual([third.keyId, second.keyId]);
  });

  it.each([
    {},
    { JWT_PUBLIC_KEY: 'x' },
    { JWT_KEY_ID: 'x', JWT_PUBLIC_KEY: '' },
    { JWT_KEY_ID: 1, JWT_PUBLIC_KEY: 'x' },
  ])('is refused for %p, which holds no key', (variables) => {
    expect(() => readKeyToRotate(variables, '.env')).toThrow('.env holds no JWT_PUBLIC_KEY and JWT_KEY_ID to rotate');
  });
});
