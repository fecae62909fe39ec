import { type Caller, can, isAdmin } from '../accounts/caller.js';
import { forbidden, notFound } from '../contract/errors.js';
import type { JobBody, JobDetail } from '../contract/jobs.js';
import type { Database } from '../database/database.js';
import type { PageQuery } from '../database/page.js';
import type { JobDependencies } from './dependencies.js';
import { cancelJob } from './sql/cancel.js';
import { hasRequested, readJob, readJobDetail } from './sql/detail.js';
import { type ListFilter, readJobRequests, readJobs } from './sql/list.js';

/** Returns a job that the caller requested or may read, or throws `not_found`, because ids must reveal nothing. */
export async function requireVisibleJob(database: Database, jobId: number, caller: Caller): Promise<JobBody> {
  const job = await readJob(database, jobId);
  if (!job) throw notFound(`Job ${jobId}`);
  const isVisible =
    can(caller, 'jobs:read-all') ||
    job.user_id === caller.userId ||
    (await hasRequested(database, jobId, caller.userId));
  if (!isVisible) throw notFound(`Job ${jobId}`);
  return job;
}

export async function getJob({ database }: JobDependencies, jobId: number, caller: Caller): Promise<JobDetail> {
  return readJobDetail(database, await requireVisibleJob(database, jobId, caller));
}

type JobListQuery = PageQuery & Pick<ListFilter, 'status' | 'type'>;

const defaultLimit = 50;

const toListFilter = ({ limit = defaultLimit, ...query }: JobListQuery, caller: Caller): ListFilter => ({
  ...query,
  limit,
  requestedBy: can(caller, 'jobs:read-all') ? undefined : caller.userId,
});

export const listJobs = ({ database }: JobDependencies, query: JobListQuery, caller: Caller) =>
  readJobs(database, toListFilter(query, caller));

export const listJobRequests = ({ database }: JobDependencies, query: JobListQuery, caller: Caller) =>
  readJobRequests(database, toListFilter(query, caller));

/** Cancels a job for the user who first submitted the job, or for an administrator. */
export async function cancelForCaller({ database, notifications }: JobDependencies, jobId: number, caller: Caller) {
  const job = await requireVisibleJob(database, jobId, caller);
  if (!isAdmin(caller) && job.user_id !== caller.userId)
    throw forbidden('Only the user who first submitted this job, or an administrator, may cancel it');
  const cancelled = await cancelJob(database, jobId);
  notifications.publish({ jobs: [jobId] });
  return cancelled;
}
