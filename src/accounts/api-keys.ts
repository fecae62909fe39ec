import { writeAudit } from '../audit/audit-log.js';
import type { RoleName } from '../contract/auth.js';
import { notFound, ServiceError } from '../contract/errors.js';
import type { Claimed, CreatedPerson, Person } from '../contract/people.js';
import type { Database } from '../database/database.js';
import { hashSecret, newSecret } from './access-tokens.js';
import { createAccount, findByEmail } from './users.js';

const claimMinutes = 15;

const peopleText = `
SELECT u.email, to_json(u.roles) AS roles, max(k.last_used) AS last_used,
  count(k.id) > 0 AND bool_and(k.revoked) AS revoked
FROM "User" u LEFT JOIN "ApiKey" k ON k.user_id = u.id
WHERE $1::text IS NULL OR lower(u.email) = lower($1)
GROUP BY u.id ORDER BY u.id`;

/**
 * Takes the claim and makes the key in one statement: of two who claim at the same instant one gets a key. Nothing is made
 * for a claim that was taken or has ended.
 */
const claimText = `
WITH taken AS (
  UPDATE "ClaimToken" SET viewed_at = now()
  WHERE token_hash = $1 AND viewed_at IS NULL AND expires_at > now() RETURNING user_id
), made AS (
  INSERT INTO "ApiKey" (user_id, key_hash) SELECT user_id, $2 FROM taken RETURNING user_id
)
SELECT u.id, u.email FROM made JOIN "User" u ON u.id = made.user_id`;

const beyondText = `
SELECT DISTINCT ON (u.id) u.email, k.role FROM "ApiKey" k JOIN "User" u ON u.id = k.user_id
WHERE NOT k.revoked AND k.role IS NOT NULL AND NOT k.role = ANY (u.roles) ORDER BY u.id, k.id`;

/** Accounts that are used by API keys: made by an administrator, claimed once by whom they are for. */
export function createPeople(database: Database) {
  const read = async (email: string | null): Promise<Person[]> => {
    const rows = await database.rows<Omit<Person, 'role'>>('people', peopleText, [email]);
    return rows.map((row) => ({ ...row, role: row.roles[0] ?? null }));
  };
  return {
    list: () => read(null),
    async create(email: string, role: RoleName, actor: number): Promise<CreatedPerson> {
      if (await findByEmail(database, email))
        throw new ServiceError('conflict', `There is an account of ${email} already`);
      // Nobody knows its password: the account is used by its key alone.
      const account = await createAccount(database, { email, password: newSecret('pw'), roles: [role] });
      const token = newSecret('claim');
      await database.rows(
        'claim-make',
        `INSERT INTO "ClaimToken" (token_hash, user_id, created_by, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(mins => $4))`,
        [hashSecret(token), account.id, actor, claimMinutes],
      );
      await writeAudit(database, {
        action: 'CREATE_USER',
        userId: account.id,
        metadata: { by: actor, email, roles: [role] },
      });
      const [user] = await read(email);
      if (!user) throw notFound(`User ${email}`);
      return { user, claim_token: token };
    },
    /** Accounts, and those whose keys may what the account itself may not. */
    async check(): Promise<{ total: number; problems: { email: string; message: string }[] }> {
      const [counted] = await database.rows<{ total: number }>(
        'people-count',
        'SELECT count(*)::int AS total FROM "User"',
        [],
      );
      const beyond = await database.rows<{ email: string; role: string }>('people-beyond', beyondText, []);
      return {
        total: counted?.total ?? 0,
        problems: beyond.map(({ email, role }) => ({
          email,
          message: `has a key with the role ${role}, which the account has not: revoke it, or give the account the role`,
        })),
      };
    },
    /** Whatever is wrong with the token, the answer is the same. */
    async claim(token: string): Promise<Claimed> {
      const key = newSecret('rg');
      const [taken] = await database.rows<{ id: number; email: string }>('claim-take', claimText, [
        hashSecret(token),
        hashSecret(key),
      ]);
      if (!taken) throw new ServiceError('not_found', 'This claim is not valid: it was used, has ended, or never was');
      await writeAudit(database, { action: 'CLAIM_KEY', userId: taken.id });
      return {
        api_key: key,
        user_email: taken.email,
        message: 'Keep this key: it is shown this once. Send it as X-API-Key.',
      };
    },
    /** Keys stop with the next request; access tokens of a login live on until they end. */
    async revoke(email: string, actor: number): Promise<void> {
      const account = await findByEmail(database, email);
      if (!account) throw notFound(`User ${email}`);
      if (account.id === actor)
        throw new ServiceError('conflict', 'This is your own account: let another administrator revoke it');
      await database.transaction(async (client) => {
        await client.query('UPDATE "ApiKey" SET revoked = true WHERE user_id = $1', [account.id]);
        await client.query('UPDATE "RefreshToken" SET valid = false WHERE user_id = $1', [account.id]);
        await client.query('DELETE FROM "ClaimToken" WHERE user_id = $1', [account.id]);
      });
      await writeAudit(database, { action: 'REVOKE_USER', userId: account.id, metadata: { by: actor } });
    },
  };
}
export type People = ReturnType<typeof createPeople>;
