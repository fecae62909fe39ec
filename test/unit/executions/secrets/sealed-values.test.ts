import { expect, it } from '@jest/globals';
import { encryptionKeys } from '../../../../src/executions/secrets/encryption.js';
import { openValues, sealValues } from '../../../../src/executions/secrets/sealed-values.js';

const keys = encryptionKeys('a key of the tests, long enough to be one');

it('values are opened with the key, for their own execution alone', () => {
  const sealed = sealValues(keys, 'one', ['hunter2', 'x']) ?? '';
  expect(sealed).not.toContain('hunter2');
  expect(openValues(keys, 'one', sealed)).toEqual(['hunter2', 'x']);
  expect(() => openValues(keys, 'two', sealed)).toThrow('does not decrypt');
});

it('without a key nothing is taken for nothing to hide', () => {
  expect(sealValues(undefined, 'one', [])).toBeUndefined();
  expect(openValues(undefined, 'one', null)).toEqual([]);
  expect(() => sealValues(undefined, 'one', ['hunter2'])).toThrow('SECRETS_KEY');
  expect(() => openValues(undefined, 'one', sealValues(keys, 'one', ['hunter2']) ?? null)).toThrow('SECRETS_KEY');
});
