import type { Caller } from '../accounts/caller.js';
import { ServiceError } from '../contract/errors.js';
import type { Downloads } from '../contract/jobs.js';
import type { JobDependencies } from './dependencies.js';
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
