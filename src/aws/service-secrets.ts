import { z } from 'zod';
import { SetupError, toMessage } from '../contract/errors.js';
import { parseSecretFields } from './secret-arn.js';
import { SecretReader, type SecretsAws } from './secrets-manager.js';

type Fields = Record<string, unknown>;

const account = z.object({ username: z.string().min(1), password: z.string().min(1) });
const database = account.extend({
  host: z.string().min(1),
  port: z.union([z.string(), z.number()]).default(5432),
  dbname: z.string().min(1).default('reefguide'),
});

/** Variables from the fields of a secret, by the variable that names the secret. */
const secretVariables: Record<string, (fields: Fields) => Record<string, string>> = {
  API_SECRETS_ARN: (fields) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
  DATABASE_SECRET_ARN: (fields) => ({ DATABASE_URL: toDatabaseUrl(database.parse(fields)) }),
  ...Object.fromEntries(
    ['ADMIN', 'MANAGER', 'WORKER'].map((role) => [
      `${role}_SECRET_ARN`,
      (fields: Fields) => {
        const { username, password } = account.parse(fields);
        return { [`${role}_USERNAME`]: username, [`${role}_PASSWORD`]: password };
      },
    ]),
  ),
};

/** Returns a URL that verifies the certificate: `postgresql://reef:pass%20word@db:5432/reefguide?sslmode=verify-full`. */
export function toDatabaseUrl({ username, password, host, port, dbname }: z.infer<typeof database>): string {
  const [user, secret, name] = [username, password, dbname].map(encodeURIComponent);
  return `postgresql://${user}:${secret}@${host}:${port}/${name}?sslmode=verify-full`;
}

/**
 * Returns the environment with the values of its secrets: `API_SECRETS_ARN` (each field becomes a variable),
 * `DATABASE_SECRET_ARN` (becomes `DATABASE_URL`), `ADMIN_`, `MANAGER_` and `WORKER_SECRET_ARN`. Set variables keep
 * their values. Throws a SetupError with the name of the variable and without any part of a secret.
 */
export async function withServiceSecrets(env: NodeJS.ProcessEnv, aws: SecretsAws): Promise<NodeJS.ProcessEnv> {
  const reader = new SecretReader(aws);
  const reads = Object.keys(secretVariables).map((variable) => readSecretVariables(reader, variable, env[variable]));
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  return Object.assign({}, ...(await Promise.all(reads)), set);
}

async function readSecretVariables(reader: SecretReader, variable: string, arn: string | undefined) {
  if (!arn) return {};
  const text = await reader.read({ arn }).catch((cause: unknown) => {
    if (!(cause instanceof SetupError)) throw cause;
    const { hint, message } = cause;
    throw new SetupError(`The secret that ${variable} names cannot be read: ${message}`, { hint, cause });
  });
  try {
    return secretVariables[variable]?.(parseSecretFields(text)) ?? {};
  } catch (cause) {
    const missing = cause instanceof z.ZodError ? cause.issues.map(({ path }) => path.join('.')).join(', ') : '';
    throw new SetupError(
      `The secret that ${variable} names is not usable: ${missing ? `it lacks ${missing}` : toMessage(cause)}`,
      { hint: 'See docs/running.md for the fields of each secret.' },
    );
  }
}
