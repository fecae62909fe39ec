import { type Caller, isAdmin } from '../accounts/caller.js';
import { forbidden } from '../contract/errors.js';

import type { JobDependencies } from './dependencies.js';
import { cancelJob } from './sql/cancel.js';
import { requireVisibleJob } from './visible-jobs.js';

export async function cancelForCaller({ database, notifications }: JobDependencies, jobId: number, caller: Caller) {
  const job = await requireVisibleJob(database, jobId, caller);
  if (!isAdmin(caller) && job.user_id !== caller.userId)
    throw forbidden('Only the user who first submitted this job, or an administrator, may cancel it');
  const cancelled = await cancelJob(database, jobId);
  notifications.publish({ jobs: [jobId] });
  return cancelled;
}
