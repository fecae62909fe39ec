import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { SetupError } from '../../contract/errors.js';

/** Keys by their ids; the first encrypts, all decrypt. */
export interface EncryptionKeys {
  currentId: string;
  keys: ReadonlyMap<string, Buffer>;
}

const derive = (text: string, purpose: string, bytes: number) =>
  Buffer.from(hkdfSync('sha256', text, '', `reefguide secrets ${purpose}`, bytes));

/** Keys from texts of high entropy (HKDF-SHA256), the one that encrypts first. */
export function encryptionKeys(current: string, ...previous: string[]): EncryptionKeys {
  const pairs = [current, ...previous].map(
    (text) => [derive(text, 'id', 6).toString('base64url'), derive(text, 'key', 32)] as const,
  );
  return { currentId: pairs[0]?.[0] ?? '', keys: new Map(pairs) };
}

/**
 * AES-256-GCM with a nonce of its own, as `v1.<key id>.<nonce>.<ciphertext and tag>` in base64url. `context` (the secret's
 * name) is authenticated with it, so that a value cannot be moved to another secret.
 */
export function encrypt({ currentId, keys }: EncryptionKeys, text: string, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(keys, currentId), nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return ['v1', currentId, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
}

/** Throws a SetupError, without the value, when the key is not known or the value was changed. */
export function decrypt({ keys }: EncryptionKeys, stored: string, context: string): string {
  const [version, keyId = '', nonce = '', sealed = ''] = stored.split('.');
  if (version !== 'v1') throw new SetupError('A stored secret has a form that this version does not know');
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', keyOf(keys, keyId), Buffer.from(nonce, 'base64url'))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8');
  } catch {
    throw new SetupError('A stored secret was changed: it does not decrypt');
  }
}

/** Whether the value is encrypted with another key than the one that encrypts now. */
export const isOutdated = ({ currentId }: EncryptionKeys, stored: string) => stored.split('.')[1] !== currentId;

function keyOf(keys: ReadonlyMap<string, Buffer>, id: string): Buffer {
  const key = keys.get(id);
  if (key) return key;
  throw new SetupError('A secret is encrypted with a key that is not known here', {
    hint: 'Set SECRETS_KEY to the key of then, or, after a rotation, SECRETS_PREVIOUS_KEY.',
  });
}
