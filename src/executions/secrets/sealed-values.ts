import { SetupError } from '../../contract/errors.js';
import type { Database } from '../../database/database.js';
import { decrypt, type EncryptionKeys, encrypt, isOutdated, reencrypt, requireKeys } from './encryption.js';

const toContext = (executionId: string) => `execution ${executionId}`;

/** Encrypts the values to redact in an execution's log, for all processes that store lines. */
export function sealValues(keys: EncryptionKeys | undefined, executionId: string, values: readonly string[]) {
  if (values.length === 0) return undefined;
  return encrypt(requireKeys(keys), JSON.stringify(values), toContext(executionId));
}

/** Reverses `sealValues`. Throws rather than returning nothing to redact, when the values cannot be decrypted. */
export function openValues(keys: EncryptionKeys | undefined, executionId: string, sealed: string | null): string[] {
  if (sealed === null) return [];
  if (!keys) throw new SetupError('Cannot redact secrets in the log of a command: SECRETS_KEY is not set');
  const values: unknown = JSON.parse(decrypt(keys, sealed, toContext(executionId)));
  return Array.isArray(values) ? values.map(String) : [];
}

const storedSql = `
SELECT execution_id, masked FROM "Execution"
WHERE masked IS NOT NULL AND (completed_at IS NULL OR completed_at > now() - interval '1 day')`;
const resealSql = 'UPDATE "Execution" SET masked = $2 WHERE execution_id = $1';

/** Encrypts sealed values with the current key after a rotation, for executions with growing logs. */
export async function resealValues(database: Database, keys: EncryptionKeys): Promise<void> {
  const rows = await database.rows<{ execution_id: string; masked: string }>('masked-stored', storedSql, []);
  for (const { execution_id: id, masked } of rows.filter((row) => isOutdated(keys, row.masked)))
    await database.rows('masked-reseal', resealSql, [id, reencrypt(keys, masked, toContext(id))]);
}
