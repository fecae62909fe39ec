import { expect, it } from '@jest/globals';
import { deriveEncryptionKeys } from '../../../../src/executions/secrets/encryption.js';
import { openValues, sealValues } from '../../../../src/executions/secrets/sealed-values.js';

const keys = deriveEncryptionKeys('a key of the tests, long enough to be one');

it('openValues: opens values with the key, and for their own execution alone', () => {
  const sealed = sealValues(keys, 'one', ['hunter2', 'x']) ?? '';
  expect(sealed).not.toContain('hunter2');
  expect(openValues(keys, 'one', sealed)).toEqual(['hunter2', 'x']);
  expect(() => openValues(keys, 'two', sealed)).toThrow('Cannot decrypt');
});

it('openValues: throws without a key rather than masking nothing', () => {
  expect(sealValues(undefined, 'one', [])).toBeUndefined();
  expect(openValues(undefined, 'one', null)).toEqual([]);
  expect(() => sealValues(undefined, 'one', ['hunter2'])).toThrow('SECRETS_KEY');
  expect(() => openValues(undefined, 'one', sealValues(keys, 'one', ['hunter2']) ?? null)).toThrow('SECRETS_KEY');
});
