import { type Caller, can } from '../../accounts/caller.js';
import { forbidden, ServiceError } from '../../contract/errors.js';
import type { SecretInfo } from '../../contract/secrets.js';
import type { Database } from '../../database/database.js';
import { isUniqueViolation } from '../../database/errors.js';
import { decrypt, type EncryptionKeys, encrypt, isOutdated, reencrypt, requireKeys } from './encryption.js';

type NewSecret = Pick<SecretInfo, 'name' | 'key_name'> & { description?: string | undefined; value: string };

/** Value of a secret, with the name of the environment variable. */
export type SecretValue = { key_name: string; value: string };

/** Secret with the encrypted value. */
type StoredSecret = { name: string; value: string };

const columns = `s.name, s.key_name, s.description, c.email AS created_by, s.created_at, s.updated_at,
  COALESCE((SELECT json_agg(u.email ORDER BY u.id) FROM "User" u WHERE u.id = ANY (s.owned_by)), '[]'::json) AS owned_by`;
const fromSecrets = 'FROM "Secret" s LEFT JOIN "User" c ON c.id = s.created_by';

export function listSecrets(database: Database): Promise<SecretInfo[]> {
  return database.rows<SecretInfo>('secrets', `SELECT ${columns} ${fromSecrets} ORDER BY s.name`, []);
}

/** Returns the secrets created or changed by a request. */
export function listSecretsOfRequest(database: Database, requestId: string): Promise<SecretInfo[]> {
  const byRequestSql = `SELECT ${columns} ${fromSecrets}
    WHERE s.created_by_request_id = $1 OR s.modified_by_request_id = $1 ORDER BY s.name`;
  return database.rows<SecretInfo>('secret-request', byRequestSql, [requestId]);
}

const createSql = `
INSERT INTO "Secret" (name, key_name, description, value, created_by, owned_by, created_by_request_id,
  modified_by_request_id)
VALUES ($1, $2, $3, $4, $5, ARRAY[$5::int], $6, $6)`;

/** Creates a secret, or throws `conflict` when the name is taken. */
export async function createSecret(
  database: Database,
  keys: EncryptionKeys | undefined,
  { name, key_name, description = '', value }: NewSecret,
  { userId, requestId }: Caller,
): Promise<void> {
  const encrypted = encrypt(requireKeys(keys), value, name);
  try {
    await database.rows('secret-create', createSql, [name, key_name, description, encrypted, userId, requestId]);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ServiceError('conflict', `Secret ${name} exists already`, { code: 'SECRET_ALREADY_EXISTS' });
  }
}

/** Returns the values for a command, in the order of `names`. */
export async function readSecretValues(database: Database, keys: EncryptionKeys | undefined, names: readonly string[]) {
  if (names.length === 0) return [];
  const valuesSql = 'SELECT name, key_name, value FROM "Secret" WHERE name = ANY ($1)';
  const rows = await database.rows<StoredSecret & SecretValue>('secret-values', valuesSql, [names]);
  const secrets = new Map(rows.map((row) => [row.name, row]));
  return names.map((name) => {
    const secret = secrets.get(name);
    if (!secret) throw secretNotFound(name);
    return { key_name: secret.key_name, value: decrypt(requireKeys(keys), secret.value, name) };
  });
}

/** Returns a secret with the value, for owners and for callers with `secrets:read`. */
export async function readSecret(
  database: Database,
  keys: EncryptionKeys | undefined,
  name: string,
  caller: Caller,
): Promise<SecretInfo & { value: string }> {
  const readSql = `SELECT ${columns}, s.value, to_json(s.owned_by) AS owners ${fromSecrets} WHERE s.name = $1`;
  type Row = SecretInfo & { value: string; owners: number[] };
  const [secret] = await database.rows<Row>('secret-read', readSql, [name]);
  if (!secret) throw secretNotFound(name);
  const { owners, value, ...info } = secret;
  if (!can(caller, 'secrets:read') && !owners.includes(caller.userId))
    throw forbidden('Only the owner of the secret may read its value');
  return { ...info, value: decrypt(requireKeys(keys), value, name) };
}

const updateSql = `
UPDATE "Secret" SET key_name = COALESCE($2, key_name), description = COALESCE($3, description),
  value = COALESCE($4, value), updated_at = now(), modified_by_request_id = $5 WHERE name = $1 RETURNING name`;

/** Changes a secret, or throws `not_found`. Omitted fields keep the present values. */
export async function updateSecret(
  database: Database,
  keys: EncryptionKeys | undefined,
  name: string,
  { key_name, description, value }: { [Field in keyof NewSecret]?: NewSecret[Field] | undefined },
  { requestId }: Caller,
): Promise<void> {
  const encrypted = value === undefined ? null : encrypt(requireKeys(keys), value, name);
  const values = [name, key_name ?? null, description ?? null, encrypted, requestId];
  const updated = await database.rows('secret-update', updateSql, values);
  if (updated.length === 0) throw secretNotFound(name);
}

export async function removeSecret(database: Database, name: string): Promise<void> {
  const removed = await database.rows('secret-remove', 'DELETE FROM "Secret" WHERE name = $1 RETURNING name', [name]);
  if (removed.length === 0) throw secretNotFound(name);
}

function listStoredSecrets(database: Database): Promise<StoredSecret[]> {
  return database.rows<StoredSecret>('secrets-stored', 'SELECT name, value FROM "Secret" ORDER BY name', []);
}

/** Returns the names of the secrets that cannot be decrypted: all, on a server without keys. */
export async function findUnreadableSecrets(database: Database, keys: EncryptionKeys | undefined) {
  const secrets = await listStoredSecrets(database);
  const names: string[] = [];
  for (const { name, value } of secrets) {
    try {
      decrypt(requireKeys(keys), value, name);
    } catch {
      names.push(name);
    }
  }
  return { total: secrets.length, names };
}

/** Encrypts all secrets with the current key. Skips a secret changed by a concurrent request, which uses that key. */
export async function reencryptSecrets(database: Database, keys: EncryptionKeys): Promise<number> {
  const reencryptSql = 'UPDATE "Secret" SET value = $3 WHERE name = $1 AND value = $2 RETURNING name';
  let count = 0;
  for (const { name, value } of await listStoredSecrets(database)) {
    if (!isOutdated(keys, value)) continue;
    const values = [name, value, reencrypt(keys, value, name)];
    count += (await database.rows('secret-reencrypt', reencryptSql, values)).length;
  }
  return count;
}

const secretNotFound = (name: string) =>
  new ServiceError('not_found', `Secret ${name} not found`, { code: 'SECRET_NOT_FOUND' });
