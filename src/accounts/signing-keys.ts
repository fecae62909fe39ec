import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { SetupError, toMessage } from '../contract/errors.js';

/** An RSA key pair in PEM, and the `kid` of the published public key. */
export interface KeyPairPem {
  privateKey: string;
  publicKey: string;
  keyId: string;
}

/** The public key from before the last rotation. */
export type PreviousKeyPem = Pick<KeyPairPem, 'publicKey' | 'keyId'>;

export interface PublicKey {
  key: KeyObject;
  /** The key as PEM (SPKI), exported once because each verification needs the PEM. */
  pem: string;
}

export interface SigningKeys {
  keyId: string;
  privateKey: KeyObject;
  publicKeys: ReadonlyMap<string, PublicKey>;
}

/** Generates a 2,048-bit RSA pair. The id is the start of the public key's SHA-256. */
export async function generateKeys(): Promise<KeyPairPem> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const keyId = createHash('sha256').update(publicKey).digest('base64url').slice(0, 16);
  return { privateKey, publicKey, keyId };
}

/** Restores the line breaks of a PEM in a variable: `\\n` (two characters) → a line break. */
const restoreLineBreaks = (pem: string) => pem.replaceAll('\\n', '\n');

/** Reads a pair and the previous public key, whose tokens stay valid. Throws a SetupError without the text of a key. */
export function readKeys(pem: KeyPairPem, previous?: PreviousKeyPem): SigningKeys {
  const command = 'Generate a pair with: reefguide keys local';
  const { privateKey, publicKey } = readPem('JWT_PRIVATE_KEY and JWT_PUBLIC_KEY', command, () => readPair(pem));
  const publicKeys = new Map([[pem.keyId, publicKey]]);
  if (previous && previous.keyId !== pem.keyId) {
    const hint = 'Remove it together with JWT_PREVIOUS_KEY_ID once every token from before the rotation has expired.';
    const previousKey = readPem('JWT_PREVIOUS_PUBLIC_KEY', hint, () => readPublicKey(previous.publicKey));
    publicKeys.set(previous.keyId, previousKey);
  }
  return { keyId: pem.keyId, privateKey, publicKeys };
}

function readPair(pem: KeyPairPem): { privateKey: KeyObject; publicKey: PublicKey } {
  const privateKey = requireRsa(createPrivateKey(restoreLineBreaks(pem.privateKey)));
  const publicKey = readPublicKey(pem.publicKey);
  if (!createPublicKey(privateKey).equals(publicKey.key)) throw new Error('the two keys do not belong together');
  return { privateKey, publicKey };
}

function readPublicKey(pem: string): PublicKey {
  const key = requireRsa(createPublicKey(restoreLineBreaks(pem)));
  return { key, pem: key.export({ type: 'spki', format: 'pem' }).toString() };
}

function requireRsa(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa') throw new Error('expected an RSA key');
  return key;
}

function readPem<T>(variables: string, hint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SetupError(`Invalid ${variables}: ${toMessage(error)}`, { hint });
  }
}

export function toKeyVariables(pair: KeyPairPem, previous?: PreviousKeyPem): Record<string, string> {
  return {
    JWT_PRIVATE_KEY: pair.privateKey,
    JWT_PUBLIC_KEY: pair.publicKey,
    JWT_KEY_ID: pair.keyId,
    ...(previous ? { JWT_PREVIOUS_PUBLIC_KEY: previous.publicKey, JWT_PREVIOUS_KEY_ID: previous.keyId } : {}),
  };
}

/** Returns the public key to replace. Throws a SetupError without a key; `source` is, for example, `.env`. */
export function readKeyToRotate(variables: Readonly<Record<string, unknown>>, source: string): PreviousKeyPem {
  const { JWT_PUBLIC_KEY: publicKey, JWT_KEY_ID: keyId } = variables;
  if (typeof publicKey !== 'string' || typeof keyId !== 'string' || !publicKey || !keyId) {
    const hint = 'Generate the first pair without --rotate.';
    throw new SetupError(`${source} holds no JWT_PUBLIC_KEY and JWT_KEY_ID to rotate`, { hint });
  }
  return { publicKey, keyId };
}

/** Returns the public keys as a JWK set (RFC 7517). */
export function toJwkSet({ publicKeys }: SigningKeys) {
  return {
    keys: [...publicKeys].map(([kid, { key }]) => {
      return { ...key.export({ format: 'jwk' }), kty: 'RSA', kid, use: 'sig', alg: 'RS256' };
    }),
  };
}
