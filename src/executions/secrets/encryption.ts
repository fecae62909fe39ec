import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { ServiceError, SetupError } from '../../contract/errors.js';

/** Keys by id. The current key encrypts, all keys decrypt. */
export interface EncryptionKeys {
  currentId: string;
  keys: ReadonlyMap<string, Buffer>;
}

const derive = (text: string, purpose: string, bytes: number) =>
  Buffer.from(hkdfSync('sha256', text, '', `reefguide secrets ${purpose}`, bytes));

/** Derives keys from texts of high entropy (HKDF-SHA256). */
export function deriveEncryptionKeys(current: string, ...previous: string[]): EncryptionKeys {
  const toId = (text: string) => derive(text, 'id', 6).toString('base64url');
  const keys = new Map([current, ...previous].map((text) => [toId(text), derive(text, 'key', 32)]));
  return { currentId: toId(current), keys };
}

/** Returns the keys, or throws `unavailable` on a server without any. */
export function requireKeys(keys: EncryptionKeys | undefined): EncryptionKeys {
  if (keys) return keys;
  throw new ServiceError('unavailable', 'This server stores no secrets because SECRETS_KEY is not set');
}

/**
 * Encrypts with AES-256-GCM and a random nonce: `v1.<key id>.<nonce>.<ciphertext and tag>`, each part in base64url.
 * Authenticates `context` (for example the name of the secret), because a value must not be moved to another secret.
 */
export function encrypt({ currentId, keys }: EncryptionKeys, text: string, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', getKey(keys, currentId), nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return ['v1', currentId, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
}

/** Throws a SetupError, without the value in the message, when the key is unknown or the value was changed. */
export function decrypt({ keys }: EncryptionKeys, stored: string, context: string): string {
  const [version, keyId = '', nonce = '', sealed = ''] = stored.split('.');
  if (version !== 'v1') throw new SetupError('Cannot decrypt a stored secret: expected format v1');
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', getKey(keys, keyId), Buffer.from(nonce, 'base64url'))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8');
  } catch {
    throw new SetupError('Cannot decrypt a stored secret: the value was changed, or belongs to another name');
  }
}

/** Returns true for a value encrypted by a previous key. */
export const isOutdated = ({ currentId }: EncryptionKeys, stored: string) => stored.split('.')[1] !== currentId;

/** Encrypts a value again with the current key. */
export const reencrypt = (keys: EncryptionKeys, stored: string, context: string) =>
  encrypt(keys, decrypt(keys, stored, context), context);

function getKey(keys: ReadonlyMap<string, Buffer>, id: string): Buffer {
  const key = keys.get(id);
  if (key) return key;
  throw new SetupError('Cannot decrypt a stored secret: this server does not have its key', {
    hint: 'Set SECRETS_KEY to the key that encrypted the secret or, after a rotation, set SECRETS_PREVIOUS_KEY.',
  });
}
