import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decrypt, deriveEncryptionKeys, encrypt, isOutdated } from '../../../../src/executions/secrets/encryption.js';

const keys = deriveEncryptionKeys('a key of the tests, long enough');

describe('encrypt', () => {
  it('returns a text that decrypts to the value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(decrypt(keys, encrypt(keys, value, 'name'), 'name')).toBe(value);
      }),
    );
  });

  it('returns another text each time, which contains nothing of the value', () => {
    const stored = [encrypt(keys, 'hunter2', 'name'), encrypt(keys, 'hunter2', 'name')];
    expect(stored[0]).not.toBe(stored[1]);
    expect(stored.join()).not.toContain('hunter2');
    expect(stored.join()).not.toContain(Buffer.from('hunter2').toString('base64url'));
  });

  it('returns a text that does not decrypt once changed, or under another name', () => {
    const stored = encrypt(keys, 'hunter2', 'name');
    const [version, id, nonce, sealed = ''] = stored.split('.');
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    const changed = [version, id, nonce, bytes.toString('base64url')].join('.');
    expect(() => decrypt(keys, changed, 'name')).toThrow('Cannot decrypt');
    expect(() => decrypt(keys, stored, 'another')).toThrow('Cannot decrypt');
  });

  it('returns a text that decrypts with a previous key, and is outdated then', () => {
    const stored = encrypt(keys, 'hunter2', 'name');
    const rotated = deriveEncryptionKeys('the key after it, long enough too', 'a key of the tests, long enough');
    expect(decrypt(rotated, stored, 'name')).toBe('hunter2');
    expect([isOutdated(keys, stored), isOutdated(rotated, stored)]).toEqual([false, true]);
  });

  it('returns a text that does not decrypt without its key', () => {
    const stored = encrypt(deriveEncryptionKeys('another key altogether, quite long'), 'hunter2', 'name');
    expect(() => decrypt(keys, stored, 'name')).toThrow('does not have its key');
  });
});
