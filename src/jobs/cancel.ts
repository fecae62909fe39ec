import { type Caller, isAdmin } from '../accounts/caller.js';
import { forbidden } from '../contract/errors.js';
import type { JobBody } from '../contract/jobs.js';
import type { JobDependencies } from './dependencies.js';
import { cancelJob } from './sql/cancel.js';
import { requireVisibleJob } from './visible-jobs.js';

/** Cancels a job for its first submitter or an administrator. */
export async function cancelForCaller(
  { database, notifications }: JobDependencies,
  jobId: number,
  caller: Caller,
): Promise<JobBody> {
  const job = await requireVisibleJob(database, jobId, caller);
  if (!isAdmin(caller) && job.user_id !== caller.userId)
    throw forbidden('Only the user who first submitted this job, or an administrator, may cancel it');
  const cancelled = await cancelJob(database, jobId);
  notifications.publish({ jobs: [jobId] });
  return cancelled;
}
