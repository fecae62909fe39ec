import { type Caller, can } from '../../accounts/caller.js';
import { forbidden, ServiceError } from '../../contract/errors.js';
import type { SecretInfo } from '../../contract/secrets.js';
import type { Database } from '../../database/database.js';
import { isUniqueViolation } from '../../database/errors.js';
import { decrypt, type EncryptionKeys, encrypt, isOutdated } from './encryption.js';

export interface SecretChanges {
  key_name?: string | undefined;
  description?: string | undefined;
  value?: string | undefined;
}

const infoColumns = `s.name, s.key_name, s.description, c.email AS created_by, s.created_at, s.updated_at,
  COALESCE((SELECT json_agg(u.email ORDER BY u.id) FROM "User" u WHERE u.id = ANY (s.owned_by)), '[]'::json) AS owned_by`;
const fromSecrets = 'FROM "Secret" s LEFT JOIN "User" c ON c.id = s.created_by';

const storedText = 'SELECT name, value FROM "Secret" ORDER BY name';

const unknown = (name: string) =>
  new ServiceError('not_found', `Secret ${name} not found`, { code: 'SECRET_NOT_FOUND' });

/** Values that commands get and nobody sees in passing. `keys` undefined: this deployment has no key to encrypt with. */
export function createSecrets(database: Database, keys: EncryptionKeys | undefined) {
  const encryption = (): EncryptionKeys => {
    if (keys) return keys;
    throw new ServiceError('unavailable', 'This server keeps no secrets: SECRETS_KEY is not set');
  };
  return {
    list: () => database.rows<SecretInfo>('secrets', `SELECT ${infoColumns} ${fromSecrets} ORDER BY s.name`, []),
    async create(
      secret: { name: string; key_name: string; description?: string | undefined; value: string },
      { userId, requestId }: Caller,
    ): Promise<void> {
      const { name, key_name, description = '', value } = secret;
      await database
        .rows(
          'secret-create',
          `INSERT INTO "Secret" (name, key_name, description, value, created_by, owned_by, created_by_request_id,
             modified_by_request_id)
           VALUES ($1, $2, $3, $4, $5, ARRAY[$5::int], $6, $6)`,
          [name, key_name, description, encrypt(encryption(), value, name), userId, requestId],
        )
        .catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
          throw new ServiceError('conflict', `Secret ${name} exists already`, { code: 'SECRET_ALREADY_EXISTS' });
        });
    },
    /** What commands get, by the secrets' names. */
    async valuesOf(names: readonly string[]): Promise<{ key_name: string; value: string }[]> {
      if (names.length === 0) return [];
      const rows = await database.rows<{ name: string; key_name: string; value: string }>(
        'secret-values',
        'SELECT name, key_name, value FROM "Secret" WHERE name = ANY ($1)',
        [names],
      );
      const found = new Map(rows.map((row) => [row.name, row]));
      return names.map((name) => {
        const row = found.get(name);
        if (!row) throw unknown(name);
        return { key_name: row.key_name, value: decrypt(encryption(), row.value, name) };
      });
    },
    /** Those that a request made or changed. */
    ofRequest: (requestId: string) =>
      database.rows<SecretInfo>(
        'secret-request',
        `SELECT ${infoColumns} ${fromSecrets} WHERE s.created_by_request_id = $1 OR s.modified_by_request_id = $1
         ORDER BY s.name`,
        [requestId],
      ),
    /** Secrets whose values cannot be read with the keys that are known here; all, when there are none. */
    async unreadable(): Promise<{ total: number; names: string[] }> {
      const rows = await database.rows<{ name: string; value: string }>('secrets-stored', storedText, []);
      const isReadable = ({ name, value }: { name: string; value: string }) => {
        try {
          decrypt(encryption(), value, name);
          return true;
        } catch {
          return false;
        }
      };
      return { total: rows.length, names: rows.filter((row) => !isReadable(row)).map(({ name }) => name) };
    },
    /** With its value: for its owners, and for who may read every secret. */
    async read(name: string, caller: Caller): Promise<SecretInfo & { value: string }> {
      const [found] = await database.rows<SecretInfo & { value: string; owners: number[] }>(
        'secret-read',
        `SELECT ${infoColumns}, s.value, to_json(s.owned_by) AS owners ${fromSecrets} WHERE s.name = $1`,
        [name],
      );
      if (!found) throw unknown(name);
      const { owners, value, ...info } = found;
      if (!can(caller, 'secrets:read') && !owners.includes(caller.userId))
        throw forbidden('Only its owner may read this secret');
      return { ...info, value: decrypt(encryption(), value, name) };
    },
    async update(name: string, { key_name, description, value }: SecretChanges, { requestId }: Caller): Promise<void> {
      const changed = await database.rows(
        'secret-update',
        `UPDATE "Secret" SET key_name = COALESCE($2, key_name), description = COALESCE($3, description),
           value = COALESCE($4, value), updated_at = now(), modified_by_request_id = $5 WHERE name = $1 RETURNING name`,
        [
          name,
          key_name ?? null,
          description ?? null,
          value === undefined ? null : encrypt(encryption(), value, name),
          requestId,
        ],
      );
      if (changed.length === 0) throw unknown(name);
    },
    async remove(name: string): Promise<void> {
      const gone = await database.rows('secret-remove', 'DELETE FROM "Secret" WHERE name = $1 RETURNING name', [name]);
      if (gone.length === 0) throw unknown(name);
    },
    /** Encrypts with the present key what an earlier one encrypted; how many. A value that changes meanwhile is left as it is. */
    async reencrypt(): Promise<number> {
      if (!keys) return 0;
      const rows = await database.rows<{ name: string; value: string }>('secrets-stored', storedText, []);
      let count = 0;
      for (const { name, value } of rows.filter((row) => isOutdated(keys, row.value))) {
        const changed = await database.rows(
          'secret-reencrypt',
          'UPDATE "Secret" SET value = $3 WHERE name = $1 AND value = $2 RETURNING name',
          [name, value, encrypt(keys, decrypt(keys, value, name), name)],
        );
        count += changed.length;
      }
      return count;
    },
  };
}
export type Secrets = ReturnType<typeof createSecrets>;
