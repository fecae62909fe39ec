import { writeAudit } from '../audit/audit-log.js';
import type { ApiKeyUser, ClaimedApiKey } from '../contract/api-key-users.js';
import type { RoleName } from '../contract/auth.js';
import { notFound, ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import { hashSecret, newSecret } from './secret-hash.js';
import { findByEmail, insertUser } from './users.js';

const claimMinutes = 15;

const listUsersSql = `
SELECT u.email, to_json(u.roles) AS roles, max(k.last_used) AS last_used,
  count(k.id) > 0 AND bool_and(k.revoked) AS revoked
FROM "User" u LEFT JOIN "ApiKey" k ON k.user_id = u.id
WHERE $1::text IS NULL OR lower(u.email) = lower($1)
GROUP BY u.id ORDER BY u.id`;

async function readApiKeyUsers(database: Database, email: string | null): Promise<ApiKeyUser[]> {
  const rows = await database.rows<Omit<ApiKeyUser, 'role'>>('api-key-users', listUsersSql, [email]);
  return rows.map((row) => ({ ...row, role: row.roles[0] ?? null }));
}

export const listApiKeyUsers = (database: Database): Promise<ApiKeyUser[]> => readApiKeyUsers(database, null);

/** Creates a user without a known password, and the claim token for the user's first API key. */
export async function createApiKeyUser(database: Database, email: string, role: RoleName, adminId: number) {
  if (await findByEmail(database, email))
    throw new ServiceError('conflict', `An account with the address ${email} already exists`);
  const { id: userId } = await insertUser(database, { email, password: newSecret('pw'), roles: [role] });
  const claimToken = newSecret('claim');
  await database.rows(
    'claim-token-insert',
    `INSERT INTO "ClaimToken" (token_hash, user_id, created_by, expires_at)
     VALUES ($1, $2, $3, now() + make_interval(mins => $4))`,
    [hashSecret(claimToken), userId, adminId, claimMinutes],
  );
  await writeAudit(database, { action: 'CREATE_USER', userId, metadata: { by: adminId, email, roles: [role] } });
  const [user] = await readApiKeyUsers(database, email);
  if (!user) throw notFound(`User ${email}`);
  return { user, claim_token: claimToken };
}

/** Uses an unexpired claim token and inserts the key in one statement: of two racing claims the first gets a key. */
const claimSql = `
WITH claim AS (
  UPDATE "ClaimToken" SET viewed_at = now()
  WHERE token_hash = $1 AND viewed_at IS NULL AND expires_at > now() RETURNING user_id
), api_key AS (
  INSERT INTO "ApiKey" (user_id, key_hash) SELECT user_id, $2 FROM claim RETURNING user_id
)
SELECT u.id, u.email FROM api_key JOIN "User" u ON u.id = api_key.user_id`;

/** Exchanges a claim token for an API key, once. The error is the same for a used, an expired and an unknown token. */
export async function claimApiKey(database: Database, claimToken: string): Promise<ClaimedApiKey> {
  const apiKey = newSecret('rg');
  const values = [hashSecret(claimToken), hashSecret(apiKey)];
  const [user] = await database.rows<{ id: number; email: string }>('api-key-claim', claimSql, values);
  if (!user)
    throw new ServiceError('not_found', 'The claim token is not valid: it was used, has expired, or never existed');
  await writeAudit(database, { action: 'CLAIM_KEY', userId: user.id });
  const message = 'Store this key: it is shown only once. Send it as X-API-Key.';
  return { api_key: apiKey, user_email: user.email, message };
}

/** Revokes the keys, refresh tokens and claims of a user. Access tokens stay valid until they expire. */
export async function revokeApiKeyUser(database: Database, email: string, adminId: number): Promise<void> {
  const user = await findByEmail(database, email);
  if (!user) throw notFound(`User ${email}`);
  if (user.id === adminId)
    throw new ServiceError('conflict', 'This is your own account: let another administrator revoke it');
  await database.transaction(async (client) => {
    await client.query('UPDATE "ApiKey" SET revoked = true WHERE user_id = $1', [user.id]);
    await client.query('UPDATE "RefreshToken" SET valid = false WHERE user_id = $1', [user.id]);
    await client.query('DELETE FROM "ClaimToken" WHERE user_id = $1', [user.id]);
  });
  await writeAudit(database, { action: 'REVOKE_USER', userId: user.id, metadata: { by: adminId } });
}

/** Finds users with a key whose role the user lacks. */
const excessRolesSql = `
SELECT DISTINCT ON (u.id) u.email, k.role FROM "ApiKey" k JOIN "User" u ON u.id = k.user_id
WHERE NOT k.revoked AND k.role IS NOT NULL AND NOT k.role = ANY (u.roles) ORDER BY u.id, k.id`;

/** Counts the users and reports each user with an API key of a role beyond the user's own roles. */
export async function checkApiKeyRoles(database: Database) {
  const countSql = 'SELECT count(*)::int AS total FROM "User"';
  const [count] = await database.rows<{ total: number }>('user-count', countSql, []);
  const excess = await database.rows<{ email: string; role: string }>('api-key-excess-roles', excessRolesSql, []);
  return {
    total: count?.total ?? 0,
    problems: excess.map(({ email, role }) => ({
      email,
      message: `has an API key with the role ${role}, which the account lacks: revoke the key, or give the account the role`,
    })),
  };
}
