import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { SetupError } from '../contract/errors.js';
import { readOrCreate } from '../platform/files.js';
import { newSecret } from './access-tokens.js';
import type { ServiceAccount } from './service-accounts.js';
import { generateKeys, type KeyPairPem } from './signing-keys.js';

const account = z.object({ email: z.string(), password: z.string() });
const credentials = z.object({ admin: account, manager: account, worker: account, apiKey: z.string() });

/** The accounts of the local system, and the administrator's API key. */
export type LocalCredentials = z.infer<typeof credentials>;

const keyPair = z.object({ privateKey: z.string(), publicKey: z.string(), keyId: z.string() });

async function parsed<S extends z.ZodType>(file: string, schema: S, make: () => Promise<unknown>): Promise<z.infer<S>> {
  const text = await readOrCreate(file, async () => `${JSON.stringify(await make(), null, 2)}\n`);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SetupError(`${file} is damaged`, { hint: 'Delete it: it is made anew at the next start.', cause });
  }
}

/** Reads `credentials.json` of the home folder (mode 0600), making it on the first start. */
export const localCredentials = (home: string): Promise<LocalCredentials> =>
  parsed(path.join(home, 'credentials.json'), credentials, async () => {
    const make = (name: string) => ({
      email: `${name}@reefguide.local`,
      password: randomBytes(18).toString('base64url'),
    });
    return { admin: make('admin'), manager: make('manager'), worker: make('worker'), apiKey: newSecret('rg') };
  });

/** Reads the signing keys of the home folder, making them on the first start. */
export const localKeys = (home: string): Promise<KeyPairPem> =>
  parsed(path.join(home, 'keys', 'jwt.json'), keyPair, generateKeys);

/** The secret that signs URLs of local storage. */
export const localUrlKey = (home: string): Promise<string> =>
  readOrCreate(path.join(home, 'keys', 'url-signing-key'), async () => randomBytes(32).toString('base64url'));

/** The key that encrypts secrets. */
export const localSecretsKey = (home: string): Promise<string> =>
  readOrCreate(path.join(home, 'keys', 'secrets-key'), async () => randomBytes(32).toString('base64url'));

export const accountsOfCredentials = ({ admin, manager, worker }: LocalCredentials): ServiceAccount[] => [
  { role: 'ADMIN', ...admin },
  { role: 'MANAGER', ...manager },
  { role: 'WORKER', ...worker },
];
