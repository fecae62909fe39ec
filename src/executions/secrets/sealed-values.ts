import { ServiceError, SetupError } from '../../contract/errors.js';
import type { Database } from '../../database/database.js';
import { decrypt, type EncryptionKeys, encrypt, isOutdated } from './encryption.js';

const contextOf = (executionId: string) => `execution ${executionId}`;

/** What an execution's logs must not show, encrypted: whoever stores a line, in whichever process, can then mask it. */
export function sealValues(
  keys: EncryptionKeys | undefined,
  executionId: string,
  values: readonly string[],
): string | undefined {
  if (values.length === 0) return undefined;
  if (keys) return encrypt(keys, JSON.stringify(values), contextOf(executionId));
  throw new ServiceError('unavailable', 'This server keeps no secrets: SECRETS_KEY is not set');
}

export function openValues(keys: EncryptionKeys | undefined, executionId: string, sealed: string | null): string[] {
  if (sealed === null) return [];
  if (!keys) throw new SetupError('SECRETS_KEY is not set: what the log of a command must not show is not known');
  const values: unknown = JSON.parse(decrypt(keys, sealed, contextOf(executionId)));
  return Array.isArray(values) ? values.map(String) : [];
}

/** Encrypts with the present key what an earlier one sealed for executions of whose lines more may come. */
export async function resealValues(database: Database, keys: EncryptionKeys): Promise<void> {
  const rows = await database.rows<{ execution_id: string; masked: string }>(
    'masked-stored',
    `SELECT execution_id, masked FROM "Execution"
     WHERE masked IS NOT NULL AND (completed_at IS NULL OR completed_at > now() - interval '1 day')`,
    [],
  );
  for (const { execution_id: id, masked } of rows.filter((row) => isOutdated(keys, row.masked))) {
    const sealed = encrypt(keys, decrypt(keys, masked, contextOf(id)), contextOf(id));
    await database.rows('masked-reseal', 'UPDATE "Execution" SET masked = $2 WHERE execution_id = $1', [id, sealed]);
  }
}
