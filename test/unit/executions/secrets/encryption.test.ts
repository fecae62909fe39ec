import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decrypt, encrypt, encryptionKeys, isOutdated } from '../../../../src/executions/secrets/encryption.js';

const keys = encryptionKeys('a key of the tests, long enough');

describe('an encrypted value', () => {
  it('is read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(decrypt(keys, encrypt(keys, value, 'name'), 'name')).toBe(value);
      }),
    );
  });

  it('is another each time, and holds nothing of the value', () => {
    const stored = [encrypt(keys, 'hunter2', 'name'), encrypt(keys, 'hunter2', 'name')];
    expect(stored[0]).not.toBe(stored[1]);
    expect(stored.join()).not.toContain('hunter2');
    expect(stored.join()).not.toContain(Buffer.from('hunter2').toString('base64url'));
  });

  it('that was changed, or moved to another name, is refused', () => {
    const stored = encrypt(keys, 'hunter2', 'name');
    const [version, id, nonce, sealed = ''] = stored.split('.');
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    const changed = [version, id, nonce, bytes.toString('base64url')].join('.');
    expect(() => decrypt(keys, changed, 'name')).toThrow('does not decrypt');
    expect(() => decrypt(keys, stored, 'another')).toThrow('does not decrypt');
  });

  it('is read with a previous key, and known to be outdated', () => {
    const stored = encrypt(keys, 'hunter2', 'name');
    const rotated = encryptionKeys('the key after it, long enough too', 'a key of the tests, long enough');
    expect(decrypt(rotated, stored, 'name')).toBe('hunter2');
    expect([isOutdated(keys, stored), isOutdated(rotated, stored)]).toEqual([false, true]);
  });

  it('of an unknown key is refused with what to do', () => {
    const stored = encrypt(encryptionKeys('another key altogether, quite long'), 'hunter2', 'name');
    expect(() => decrypt(keys, stored, 'name')).toThrow('a key that is not known here');
  });
});
