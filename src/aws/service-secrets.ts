import { z } from 'zod';
import { SetupError } from '../contract/errors.js';
import type { Aws } from './clients.js';
import { secretFields } from './secret-arn.js';
import { createSecretReader } from './secrets-manager.js';

const account = z.object({ username: z.string().min(1), password: z.string().min(1) });
/** As RDS generates it. */
const database = account.extend({
  host: z.string().min(1),
  port: z.union([z.string(), z.number()]).default(5432),
  dbname: z.string().min(1).default('reefguide'),
});

/** What each variable that names a secret stands for. */
const readers: Record<string, (fields: Record<string, unknown>) => Record<string, string>> = {
  API_SECRETS_ARN: (fields) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
  DATABASE_SECRET_ARN: (fields) => ({ DATABASE_URL: databaseUrl(database.parse(fields)) }),
  ...Object.fromEntries(
    ['ADMIN', 'MANAGER', 'WORKER'].map((role) => [
      `${role}_SECRET_ARN`,
      (fields: Record<string, unknown>) => {
        const { username, password } = account.parse(fields);
        return { [`${role}_USERNAME`]: username, [`${role}_PASSWORD`]: password };
      },
    ]),
  ),
};

/** The connection string of a generated database secret; the server's certificate is verified. */
export function databaseUrl({ username, password, host, port, dbname }: z.infer<typeof database>): string {
  const [user, word, name] = [username, password, dbname].map(encodeURIComponent);
  return `postgresql://${user}:${word}@${host}:${port}/${name}?sslmode=verify-full`;
}

/**
 * The environment with what its secrets hold: `API_SECRETS_ARN` (each field a variable), `DATABASE_SECRET_ARN` (becomes
 * `DATABASE_URL`), `ADMIN_`, `MANAGER_` and `WORKER_SECRET_ARN`. Variables that are set stay as they are. Throws a
 * SetupError that names the variable and shows nothing of a secret.
 */
export async function withServiceSecrets(
  env: NodeJS.ProcessEnv,
  aws: Pick<Aws, 'secretsManager'>,
): Promise<NodeJS.ProcessEnv> {
  const named = Object.entries(readers).flatMap(([variable, read]) => {
    const arn = env[variable];
    return arn ? [{ variable, arn, read }] : [];
  });
  const readSecret = createSecretReader(aws);
  const found = await Promise.all(
    named.map(async ({ variable, arn, read }) => {
      const text = await readSecret({ arn }).catch((cause: unknown) => {
        if (!(cause instanceof SetupError)) throw cause;
        throw new SetupError(`The secret that ${variable} names cannot be read: ${cause.message}`, {
          hint: cause.hint,
          cause,
        });
      });
      try {
        return read(secretFields(text));
      } catch (cause) {
        const fields = cause instanceof z.ZodError ? cause.issues.map(({ path }) => path.join('.')).join(', ') : '';
        const reason = fields ? `it lacks ${fields}` : cause instanceof Error ? cause.message : 'it is not readable';
        throw new SetupError(`The secret that ${variable} names is not usable: ${reason}`, {
          hint: 'See docs/running.md for what it must hold.',
        });
      }
    }),
  );
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  return Object.assign({}, ...found, set);
}
