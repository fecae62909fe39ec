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

/** Reads a pair; a variable may hold its line breaks as `\n`. Throws a SetupError that never shows the key. */
export function readKeys(pem: KeyPairPem): SigningKeys {
  const lines = (text: string) => text.replaceAll('\\n', '\n');
  try {
    const privateKey = createPrivateKey(lines(pem.privateKey));
    const publicKey = createPublicKey(lines(pem.publicKey));
    if (privateKey.asymmetricKeyType !== 'rsa') throw new Error('not an RSA key');
    if (!createPublicKey(lines(pem.privateKey)).equals(publicKey))
      throw new Error('the two keys do not belong together');
    return { keyId: pem.keyId, privateKey, publicKeys: new Map([[pem.keyId, publicKey]]) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'not readable';
    throw new SetupError(`JWT_PRIVATE_KEY and JWT_PUBLIC_KEY are not usable: ${reason}`, {
      hint: 'Make a pair with: reefguide keys local',
    });
  }
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
