import { notFound, ServiceError } from '../contract/errors.js';
import type { StorageScheme } from '../contract/jobs.js';
import type { Database } from '../database/database.js';
import type { Storages } from '../storage/contract.js';
import { safeParts } from '../storage/paths.js';

interface Row {
  storage_scheme: StorageScheme;
  storage_uri: string;
  expires_at: string;
  live: boolean;
}

/**
 * URLs, by file, to which the worker of a live assignment may PUT without credentials of its own, as long as the assignment
 * lasts. An assignment that has ended gets none, so that a late worker changes no result.
 */
export async function uploadUrls(
  database: Database,
  storages: Storages,
  { assignmentId, files, apiUrl }: { assignmentId: number; files: readonly string[]; apiUrl: string },
): Promise<Record<string, string>> {
  for (const file of files) safeParts(file);
  const [row] = await database.rows<Row>(
    'assignment-location',
    'SELECT storage_scheme, storage_uri, expires_at, completed_at IS NULL AS live FROM "JobAssignment" WHERE id = $1',
    [assignmentId],
  );
  if (!row) throw notFound(`Assignment ${assignmentId}`);
  if (!row.live) throw new ServiceError('conflict', `Assignment ${assignmentId} is no longer live`);
  const storage = storages.of(row.storage_scheme);
  const expiresAt = new Date(row.expires_at);
  const urls = await Promise.all(
    files.map(async (file) => [file, await storage.uploadUrl(row.storage_uri, file, expiresAt, apiUrl)] as const),
  );
  return Object.fromEntries(urls);
}
