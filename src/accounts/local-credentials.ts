import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { SetupError } from '../contract/errors.js';
import { readOrCreate } from '../platform/files.js';
import { newSecret } from './secret-hash.js';
import type { ServiceAccount } from './service-accounts.js';
import { generateKeys, type KeyPairPem } from './signing-keys.js';

const account = z.object({ email: z.string(), password: z.string() });
export const localCredentials = z.object({ admin: account, manager: account, worker: account, apiKey: z.string() });

/** The service accounts of the local system, and the administrator's API key. */
export type LocalCredentials = z.infer<typeof localCredentials>;

const keyPair = z.object({ privateKey: z.string(), publicKey: z.string(), keyId: z.string() });

/** Reads a JSON file, creating the file (mode 0600) with the result of `create` on the first start. */
async function readOrCreateJson<S extends z.ZodType>(file: string, schema: S, create: () => unknown) {
  const text = await readOrCreate(file, async () => `${JSON.stringify(await create(), null, 2)}\n`);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SetupError(`${file} is damaged`, { hint: 'Delete the file: the next start creates it again.', cause });
  }
}

const readOrCreateSecret = (home: string, name: string): Promise<string> =>
  readOrCreate(path.join(home, 'keys', name), async () => randomBytes(32).toString('base64url'));

/** Reads `credentials.json` of the home directory, creating the file on the first start. */
export const readLocalCredentials = (home: string): Promise<LocalCredentials> =>
  readOrCreateJson(path.join(home, 'credentials.json'), localCredentials, createCredentials);

function createCredentials(): LocalCredentials {
  const createAccount = (name: string) => ({
    email: `${name}@reefguide.local`,
    password: randomBytes(18).toString('base64url'),
  });
  return {
    admin: createAccount('admin'),
    manager: createAccount('manager'),
    worker: createAccount('worker'),
    apiKey: newSecret('rg'),
  };
}

export const readLocalKeys = (home: string): Promise<KeyPairPem> =>
  readOrCreateJson(path.join(home, 'keys', 'jwt.json'), keyPair, generateKeys);

export const readLocalUrlKey = (home: string): Promise<string> => readOrCreateSecret(home, 'url-signing-key');
export const readLocalSecretsKey = (home: string): Promise<string> => readOrCreateSecret(home, 'secrets-key');

export const toServiceAccounts = ({ admin, manager, worker }: LocalCredentials): ServiceAccount[] => [
  { role: 'ADMIN', ...admin },
  { role: 'MANAGER', ...manager },
  { role: 'WORKER', ...worker },
];
