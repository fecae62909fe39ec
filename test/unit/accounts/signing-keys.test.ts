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

const previousOf = (variables: Record<string, string>) => ({
  publicKey: variables.JWT_PREVIOUS_PUBLIC_KEY ?? '',
  keyId: variables.JWT_PREVIOUS_KEY_ID ?? '',
});

describe('readKeys', () => {
  it('signs with the pair and accepts the previous key as well', () => {
    const keys = readKeys(second, first);
    expect(keys.keyId).toBe(second.keyId);
    expect([...keys.publicKeys.keys()]).toEqual([second.keyId, first.keyId]);
    expect(toJwkSet(keys).keys.map(({ kid, kty }) => [kid, kty])).toEqual([
      [second.keyId, 'RSA'],
      [first.keyId, 'RSA'],
    ]);
  });

  it('takes keys whose line breaks are written as \\n', () => {
    const oneLine = (pem: string) => pem.replaceAll('\n', '\\n');
    const pair = { ...second, privateKey: oneLine(second.privateKey), publicKey: oneLine(second.publicKey) };
    expect(readKeys(pair, { ...first, publicKey: oneLine(first.publicKey) }).publicKeys.size).toBe(2);
  });

  it('leaves out a previous key that has the id of the pair', () => {
    const keys = readKeys(second, { publicKey: first.publicKey, keyId: second.keyId });
    expect(keys.publicKeys.size).toBe(1);
    expect(keys.publicKeys.get(second.keyId)?.pem).toBe(second.publicKey);
  });

  const elliptic = () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
  it.each([
    ['no key', () => 'hunter2'],
    ['half a key', () => first.publicKey.slice(0, 100)],
    ['a key that is not RSA', elliptic],
  ])('refuses a previous key that is %s, and shows nothing of it', (_, make) => {
    const publicKey = make();
    expect(() => readKeys(second, { publicKey, keyId: 'old' })).toThrow(/^Invalid JWT_PREVIOUS_PUBLIC_KEY: /);
    expect(() => readKeys(second, { publicKey, keyId: 'old' })).not.toThrow(publicKey);
  });

  it('refuses two keys that do not belong together', () => {
    expect(() => readKeys({ ...first, publicKey: second.publicKey })).toThrow('do not belong together');
  });
});

describe('a rotation', () => {
  it('makes the key of before the previous one, which a second rotation replaces', () => {
    const before = toKeyVariables(first);
    expect(before).not.toHaveProperty('JWT_PREVIOUS_KEY_ID');
    const once = { ...before, ...toKeyVariables(second, readKeyToRotate(before, 'here')) };
    expect(previousOf(once)).toEqual({ publicKey: first.publicKey, keyId: first.keyId });
    const twice = { ...once, ...toKeyVariables(third, readKeyToRotate(once, 'here')) };
    expect(previousOf(twice)).toEqual({ publicKey: second.publicKey, keyId: second.keyId });
    expect([...readKeys(third, previousOf(twice)).publicKeys.keys()]).toEqual([third.keyId, second.keyId]);
  });

  it.each([
    {},
    { JWT_PUBLIC_KEY: 'x' },
    { JWT_KEY_ID: 'x', JWT_PUBLIC_KEY: '' },
    { JWT_KEY_ID: 1, JWT_PUBLIC_KEY: 'x' },
  ])('of %p, where no key is, is refused', (variables) => {
    expect(() => readKeyToRotate(variables, '.env')).toThrow('.env holds no JWT_PUBLIC_KEY and JWT_KEY_ID to rotate');
  });
});
