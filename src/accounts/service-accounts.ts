import { writeAudit } from '../audit/audit-log.js';
import type { RoleName } from '../contract/auth.js';
import type { Database } from '../database/database.js';
import { checkPassword, hashPassword } from './passwords.js';
import { hashSecret } from './secret-hash.js';
import { findByEmail } from './users.js';

const seededRoles = ['ADMIN', 'MANAGER', 'WORKER'] as const;

export interface ServiceAccount {
  role: (typeof seededRoles)[number];
  email: string;
  password: string;
}

/** Creates the service accounts or resets passwords and roles, safely also when several processes start at once. */
export async function seedServiceAccounts(database: Database, accounts: readonly ServiceAccount[]): Promise<string[]> {
  for (const account of accounts) await seedServiceAccount(database, account);
  return accounts.map(({ email }) => email);
}

async function seedServiceAccount(database: Database, { role, email, password }: ServiceAccount): Promise<void> {
  const user = await findByEmail(database, email);
  const hasRole = user?.roles.length === 1 && user.roles[0] === role;
  if (hasRole && (await checkPassword(user.password, password))) return;
  const [row] = await database.rows<{ id: number }>(
    'service-account-seed',
    `INSERT INTO "User" (email, password, roles) VALUES ($1, $2, ARRAY[$3]::"Role"[])
     ON CONFLICT (lower(email)) DO UPDATE SET password = excluded.password, roles = excluded.roles RETURNING id`,
    [email, await hashPassword(password), role],
  );
  await writeAudit(database, { action: 'SEED', userId: row?.id ?? null, metadata: { role } });
}

/** Adds the API key `key` with `role` to the account of `email`. Does nothing for an unknown account or an existing key. */
export async function seedApiKey(database: Database, email: string, key: string, role: RoleName): Promise<void> {
  await database.rows(
    'api-key-seed',
    `INSERT INTO "ApiKey" (user_id, key_hash, role) SELECT id, $2, $3::"Role" FROM "User" WHERE lower(email) = lower($1)
     ON CONFLICT (key_hash) DO NOTHING`,
    [email, hashSecret(key), role],
  );
}

type AccountVariable = `${ServiceAccount['role']}_${'USERNAME' | 'PASSWORD'}`;

/** Returns accounts of `WORKER_USERNAME`, `WORKER_PASSWORD` and so on. Skips an account that lacks either. */
export const readServiceAccounts = (env: Partial<Record<AccountVariable, string | undefined>>): ServiceAccount[] =>
  seededRoles.flatMap((role) => {
    const email = env[`${role}_USERNAME`];
    const password = env[`${role}_PASSWORD`];
    return email && password ? [{ role, email, password }] : [];
  });
