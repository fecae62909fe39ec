import { readLocalKeys, readLocalSecretsKey, readLocalUrlKey } from '../accounts/local-credentials.js';
import { type KeyPairPem, type PreviousKeyPem, readKeys, type SigningKeys } from '../accounts/signing-keys.js';
import { SetupError } from '../contract/errors.js';
import type { ServerEnvironment } from '../environment/server.js';
import { deriveEncryptionKeys, type EncryptionKeys } from '../executions/secrets/encryption.js';

/** Keys come from the environment. Outside production, missing keys come from the home directory of the local system. */
export interface KeySources {
  environment: ServerEnvironment;
  home: string;
  isProduction: boolean;
}

/** Returns the keys that sign access tokens. Throws a SetupError for an incomplete set of variables. */
export const readJwtKeys = async (sources: KeySources): Promise<SigningKeys> =>
  readKeys(await readKeyPair(sources), readPreviousKey(sources.environment));

async function readKeyPair({ environment, home, isProduction }: KeySources): Promise<KeyPairPem> {
  const { JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey, JWT_KEY_ID: keyId } = environment;
  if (privateKey && publicKey && keyId) return { privateKey, publicKey, keyId };
  if (privateKey || publicKey || keyId || isProduction) {
    throw new SetupError('JWT_PRIVATE_KEY, JWT_PUBLIC_KEY and JWT_KEY_ID must all be set', {
      hint: 'Generate them with: reefguide keys local',
    });
  }
  return readLocalKeys(home);
}

function readPreviousKey(environment: ServerEnvironment): PreviousKeyPem | undefined {
  const { JWT_PREVIOUS_PUBLIC_KEY: publicKey, JWT_PREVIOUS_KEY_ID: keyId } = environment;
  return publicKey && keyId ? { publicKey, keyId } : undefined;
}

/** Returns the signing key for URLs of local storage. With results in S3 a random key suffices: no URL is signed. */
export async function readUrlSigningKey({ environment, home, isProduction }: KeySources): Promise<string> {
  if (environment.URL_SIGNING_KEY !== undefined) return environment.URL_SIGNING_KEY;
  if (!isProduction) return readLocalUrlKey(home);
  if (environment.S3_BUCKET_NAME) return crypto.randomUUID();
  throw new SetupError('Neither S3_BUCKET_NAME nor URL_SIGNING_KEY is set', {
    hint: 'Set S3_BUCKET_NAME to store results in S3, or URL_SIGNING_KEY (32 characters or more) to store them on this machine.',
  });
}

/** Returns the encryption keys of secrets; undefined in production without SECRETS_KEY: no secrets are stored. */
export async function readEncryptionKeys(sources: KeySources): Promise<EncryptionKeys | undefined> {
  const { SECRETS_KEY, SECRETS_PREVIOUS_KEY: previous } = sources.environment;
  const current = SECRETS_KEY ?? (sources.isProduction ? undefined : await readLocalSecretsKey(sources.home));
  return current === undefined ? undefined : deriveEncryptionKeys(current, ...(previous ? [previous] : []));
}
