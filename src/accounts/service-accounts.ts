import { writeAudit } from '../audit/audit-log.js';
import type { RoleName } from '../contract/auth.js';
import type { Database } from '../database/database.js';
import { hashSecret } from './access-tokens.js';
import { checkPassword, hashPassword } from './passwords.js';
import { findByEmail } from './users.js';

export interface ServiceAccount {
  role: Extract<RoleName, 'ADMIN' | 'MANAGER' | 'WORKER'>;
  email: string;
  password: string;
}

/**
 * Makes the service accounts, or brings them to the given password and role. Safe to run at every start, and by several
 * processes at once. Returns the addresses.
 */
export async function seedAccounts(database: Database, accounts: readonly ServiceAccount[]): Promise<string[]> {
  for (const { role, email, password } of accounts) {
    const known = await findByEmail(database, email);
    const same =
      known && known.roles.length === 1 && known.roles[0] === role && (await checkPassword(known.password, password));
    if (same) continue;
    const [row] = await database.rows<{ id: number }>(
      'seed-account',
      `INSERT INTO "User" (email, password, roles) VALUES ($1, $2, ARRAY[$3]::"Role"[])
       ON CONFLICT (lower(email)) DO UPDATE SET password = excluded.password, roles = excluded.roles RETURNING id`,
      [email, await hashPassword(password), role],
    );
    await writeAudit(database, { action: 'SEED', userId: row?.id ?? null, metadata: { role } });
  }
  return accounts.map(({ email }) => email);
}

/** Makes sure that the account of `email` has this API key, with `role`. */
export async function seedApiKey(database: Database, email: string, key: string, role: RoleName): Promise<void> {
  await database.rows(
    'seed-key',
    `INSERT INTO "ApiKey" (user_id, key_hash, role) SELECT id, $2, $3::"Role" FROM "User" WHERE lower(email) = lower($1)
     ON CONFLICT (key_hash) DO NOTHING`,
    [email, hashSecret(key), role],
  );
}

/** The accounts that the environment names. */
export function accountsOf(
  env: Partial<Record<`${ServiceAccount['role']}_${'USERNAME' | 'PASSWORD'}`, string | undefined>>,
): ServiceAccount[] {
  return (['ADMIN', 'MANAGER', 'WORKER'] as const).flatMap((role) => {
    const email = env[`${role}_USERNAME`];
    const password = env[`${role}_PASSWORD`];
    return email && password ? [{ role, email, password }] : [];
  });
}
