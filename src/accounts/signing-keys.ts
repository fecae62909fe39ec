import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { SetupError } from '../contract/errors.js';

/** An RSA key pair in PEM, and the id under which it is published. */
export interface KeyPairPem {
  privateKey: string;
  publicKey: string;
  keyId: string;
}

export interface SigningKeys {
  keyId: string;
  privateKey: KeyObject;
  /** Keys that verify, by key id. */
  publicKeys: ReadonlyMap<string, KeyObject>;
}

export interface Jwk {
  kty: string;
  kid: string;
  use: 'sig';
  alg: 'RS256';
  [field: string]: unknown;
}

/** A new 2,048-bit RSA pair; its id is the SHA-256 thumbprint of the public key. */
export async function generateKeys(): Promise<KeyPairPem> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const keyId = createHash('sha256').update(publicKey).digest('base64url').slice(0, 16);
  return { privateKey, publicKey, keyId };
}

/** A public key that signed until the last rotation. */
export type PreviousKeyPem = Pick<KeyPairPem, 'publicKey' | 'keyId'>;

/** A variable may hold its line breaks as `\\n`. */
const withLines = (text: string) => text.replaceAll('\\n', '\n');

/**
 * Reads a pair and, after a rotation, the public key before it, whose tokens stay good. Throws a SetupError that never
 * shows a key.
 */
export function readKeys(pem: KeyPairPem, previous?: PreviousKeyPem): SigningKeys {
  const hint = 'Make a pair with: reefguide keys local';
  const { privateKey, publicKey } = readPem('JWT_PRIVATE_KEY and JWT_PUBLIC_KEY', hint, () => {
    const pair = {
      privateKey: createPrivateKey(withLines(pem.privateKey)),
      publicKey: createPublicKey(withLines(pem.publicKey)),
    };
    rsaOnly(pair.privateKey);
    if (!createPublicKey(pair.privateKey).equals(pair.publicKey))
      throw new Error('the two keys do not belong together');
    return pair;
  });
  const publicKeys = new Map([[pem.keyId, publicKey]]);
  if (previous && previous.keyId !== pem.keyId) {
    const remedy = 'Remove it with JWT_PREVIOUS_KEY_ID when no token of the time before the rotation lives any more.';
    const read = () => rsaOnly(createPublicKey(withLines(previous.publicKey)));
    publicKeys.set(previous.keyId, readPem('JWT_PREVIOUS_PUBLIC_KEY', remedy, read));
  }
  return { keyId: pem.keyId, privateKey, publicKeys };
}

function rsaOnly(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa') throw new Error('not an RSA key');
  return key;
}

function readPem<T>(variables: string, hint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'not readable';
    throw new SetupError(`${variables} ${variables.includes(' ') ? 'are' : 'is'} not usable: ${reason}`, { hint });
  }
}

/** The variables of a new pair; of a rotation also those of the public key before it. */
export function keyVariables(pair: KeyPairPem, previous?: PreviousKeyPem): Record<string, string> {
  return {
    JWT_PRIVATE_KEY: pair.privateKey,
    JWT_PUBLIC_KEY: pair.publicKey,
    JWT_KEY_ID: pair.keyId,
    ...(previous ? { JWT_PREVIOUS_PUBLIC_KEY: previous.publicKey, JWT_PREVIOUS_KEY_ID: previous.keyId } : {}),
  };
}

/** The public key that a rotation of these variables makes the previous one; a SetupError when there is none. */
export function keyToRotate(variables: Readonly<Record<string, unknown>>, where: string): PreviousKeyPem {
  const { JWT_PUBLIC_KEY: publicKey, JWT_KEY_ID: keyId } = variables;
  if (typeof publicKey !== 'string' || typeof keyId !== 'string' || !publicKey || !keyId) {
    throw new SetupError(`${where} holds no JWT_PUBLIC_KEY and JWT_KEY_ID to rotate`, {
      hint: 'Make the first pair without --rotate.',
    });
  }
  return { publicKey, keyId };
}

/** The public keys as a JWK set (RFC 7517). */
export function jwkSet(keys: SigningKeys): { keys: Jwk[] } {
  return {
    keys: [...keys.publicKeys].map(([kid, key]) => ({
      ...key.export({ format: 'jwk' }),
      kty: 'RSA',
      kid,
      use: 'sig',
      alg: 'RS256',
    })),
  };
}
