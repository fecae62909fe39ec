import { notFound } from '../contract/errors.js';
import { safeParts } from '../storage/paths.js';
import type { JobDependencies } from './dependencies.js';
import { notLive } from './requeue.js';
import { readAssignmentLocation } from './sql/assignments.js';

/**
 * Returns URLs, by file, for the worker of a live assignment to PUT without credentials until the assignment expires.
 * Guarantee 4, only the live assignment reports: a completed assignment gets no URL, so a late worker changes no result.
 */
export async function getUploadUrls(
  { database, storages }: JobDependencies,
  assignmentId: number,
  { files, apiUrl }: { files: readonly string[]; apiUrl: string },
): Promise<Record<string, string>> {
  for (const file of files) safeParts(file);
  const location = await readAssignmentLocation(database, assignmentId);
  if (!location) throw notFound(`Assignment ${assignmentId}`);
  if (!location.live) throw notLive(assignmentId);
  const storage = storages.of(location.storage_scheme);
  const expiresAt = new Date(location.expires_at);
  const urls = await Promise.all(
    files.map(async (file) => [file, await storage.uploadUrl(location.storage_uri, file, expiresAt, apiUrl)] as const),
  );
  return Object.fromEntries(urls);
}
