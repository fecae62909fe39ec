import type { Caller } from '../accounts/caller.js';
import { notFound, ServiceError } from '../contract/errors.js';
import type { Downloads } from '../contract/jobs.js';
import { safeParts } from '../storage/paths.js';
import type { JobDependencies } from './dependencies.js';
import { notLive } from './requeue.js';
import { readAssignmentLocation } from './sql/assignments.js';
import { readSuccess } from './sql/detail.js';
import { requireVisibleJob } from './visible-jobs.js';

const defaultExpirySeconds = 3600;

/** Returns a URL for each file of the job's result, by relative path. Each URL expires after `expirySeconds`. */
export async function getDownloads(
  { database, storages }: JobDependencies,
  jobId: number,
  caller: Caller,
  { expirySeconds = defaultExpirySeconds, apiUrl }: { expirySeconds?: number | undefined; apiUrl: string },
): Promise<Downloads> {
  const { id, type, status } = await requireVisibleJob(database, jobId, caller);
  const result = await readSuccess(database, jobId);
  if (!result) throw new ServiceError('invalid', `Job ${jobId} has no result: it is ${status}`);
  const storage = storages.of(result.storage_scheme);
  const files: Record<string, string> = {};
  for (const { relativePath } of await storage.list(result.storage_uri)) {
    files[relativePath] = await storage.downloadUrl(result.storage_uri, relativePath, expirySeconds, apiUrl);
  }
  return { job: { id, type, status }, files };
}

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
