import { ServiceError } from '../contract/errors.js';
import { decrypt, type EncryptionKeys, encrypt } from './encryption.js';

/** What an execution's logs must not show, encrypted: whoever stores a line, in whichever process, can then mask it. */
export function sealValues(
  keys: EncryptionKeys | undefined,
  executionId: string,
  values: readonly string[],
): string | undefined {
  if (values.length === 0) return undefined;
  if (keys) return encrypt(keys, JSON.stringify(values), `execution ${executionId}`);
  throw new ServiceError('unavailable', 'This server keeps no secrets: SECRETS_KEY is not set');
}

export function openValues(keys: EncryptionKeys | undefined, executionId: string, sealed: string | null): string[] {
  if (sealed === null || !keys) return [];
  const values: unknown = JSON.parse(decrypt(keys, sealed, `execution ${executionId}`));
  return Array.isArray(values) ? values.map(String) : [];
}
