import { type Caller, can, isAdmin } from '../accounts/caller.js';
import { type Issue, notFound, ServiceError } from '../contract/errors.js';
import {
  type CreatedJob,
  type Downloads,
  hasEnded,
  type JobBody,
  type JobDetail,
  type JobEvent,
  type JobStatus,
} from '../contract/jobs.js';
import { createBatcher } from '../database/batcher.js';
import type { Database } from '../database/database.js';
import { isRefusedInput } from '../database/errors.js';
import { waitForNotification } from '../database/subscription.js';
import type { Storages } from '../storage/contract.js';
import { jobHash } from './cache-key.js';
import type { Signals } from './job-notifications.js';
import { cancelJob } from './sql/cancel.js';
import { type CreateOutcome, createJobs, type NewJob } from './sql/create.js';
import { invalidateResults } from './sql/invalidate-cache.js';
import { hasRequested, listJobs, listRequests, readEvent, readJob, readJobDetail, readSuccess } from './sql/read.js';
import type { JobTypeRegistry } from './types/registry.js';

export interface Submission {
  type: string;
  inputPayload?: unknown;
  priority?: number | undefined;
}

export interface ListQuery {
  status?: JobStatus | undefined;
  type?: string | undefined;
  limit?: number | undefined;
  cursor?: number | undefined;
}

const defaultPageSize = 50;
const defaultUrlSeconds = 3600;
/** While a job waits, its place in the queue changes with other jobs: it is looked at this often. */
const positionEveryMs = 2_000;

/** The user's side of jobs: submit, list, read, follow, cancel, download. */
export function createSubmissions(deps: {
  database: Database;
  signals: Signals;
  storages: Storages;
  types: JobTypeRegistry;
}) {
  const { database, signals, storages, types } = deps;

  const submit = createBatcher<NewJob[], CreateOutcome[]>({
    maxWeight: 1000,
    weigh: (jobs) => jobs.length,
    concurrency: 2,
    isFaultOfCall: isRefusedInput,
    async serve(calls) {
      const outcomes = await createJobs(database, calls.flat());
      const fresh = outcomes.filter(({ created }) => created);
      const free = outcomes.filter((outcome) => outcome.free);
      signals.publish({ pending: new Set(free.map(({ type }) => type)), jobs: fresh.map(({ jobId }) => jobId) });
      let start = 0;
      return calls.map(({ length }) => {
        start += length;
        return outcomes.slice(start - length, start);
      });
    },
  });

  /** Throws one error that names every problem of the submission at `at`. */
  const check = ({ type, inputPayload, priority = 0 }: Submission, userId: number, at: string): NewJob => {
    const jobType = types.require(type, `${at}type`);
    const checked = jobType.checkInput(inputPayload);
    if (!checked.ok) throw invalid(checked.issues, `${at}inputPayload`);
    const { value: payload } = checked;
    return { userId, type, payload, hash: jobHash(type, payload), priority, maxAttempts: jobType.maxAttempts };
  };

  const visible = async (jobId: number, caller: Caller): Promise<JobBody> => {
    const job = await readJob(database, jobId);
    if (!job) throw notFound(`Job ${jobId}`);
    const allowed =
      can(caller, 'jobs:read-all') ||
      job.user_id === caller.userId ||
      (await hasRequested(database, jobId, caller.userId));
    if (!allowed) throw notFound(`Job ${jobId}`);
    return job;
  };

  const filter = ({ limit = defaultPageSize, cursor, ...rest }: ListQuery, caller: Caller) => ({
    ...rest,
    limit,
    before: cursor,
    requestedBy: can(caller, 'jobs:read-all') ? undefined : caller.userId,
  });

  return {
    async create(submission: Submission, { userId }: Caller): Promise<CreatedJob> {
      const [outcome] = await submit([check(submission, userId, '')]);
      if (!outcome) throw new Error('a submission was not answered');
      return answer(outcome);
    },
    async createBatch(submissions: readonly Submission[], { userId }: Caller): Promise<CreatedJob[]> {
      const jobs = submissions.map((submission, n) => check(submission, userId, `jobs.${n}.`));
      return (await submit(jobs)).map(answer);
    },
    list: (query: ListQuery, caller: Caller) => listJobs(database, filter(query, caller)),
    requests: (query: ListQuery, caller: Caller) => listRequests(database, filter(query, caller)),
    describeTypes: () => types.describe(),
    async get(jobId: number, caller: Caller): Promise<JobDetail> {
      return readJobDetail(database, await visible(jobId, caller));
    },
    async cancel(jobId: number, caller: Caller): Promise<JobBody> {
      const job = await visible(jobId, caller);
      if (!isAdmin(caller) && job.user_id !== caller.userId) {
        throw new ServiceError(
          'forbidden',
          'Only the user who first submitted this job, or an administrator, may cancel it',
        );
      }
      const cancelled = await cancelJob(database, jobId);
      signals.publish({ jobs: [jobId] });
      return cancelled;
    },
    async download(jobId: number, caller: Caller, expirySeconds = defaultUrlSeconds, apiUrl = ''): Promise<Downloads> {
      const { id, type, status } = await visible(jobId, caller);
      const result = await readSuccess(database, jobId);
      if (!result) throw new ServiceError('invalid', `Job ${jobId} has no result: it is ${status}`);
      const storage = storages.of(result.storage_scheme);
      const files: Record<string, string> = {};
      for (const { relativePath } of await storage.list(result.storage_uri)) {
        files[relativePath] = await storage.downloadUrl(result.storage_uri, relativePath, expirySeconds, apiUrl);
      }
      return { job: { id, type, status }, files };
    },
    /** The job's state whenever it changes, the present one first, until the job ends or `signal` aborts. */
    async *events(jobId: number, caller: Caller, signal: AbortSignal): AsyncGenerator<JobEvent> {
      await visible(jobId, caller);
      let last = '';
      while (!signal.aborted) {
        // Begins to listen before it reads, so that no change falls between.
        const stopWaiting = new AbortController();
        const changed = waitForNotification(
          signals,
          [`job:${jobId}`],
          positionEveryMs,
          AbortSignal.any([signal, stopWaiting.signal]),
        );
        const event = await readEvent(database, jobId);
        if (!event) {
          stopWaiting.abort();
          return;
        }
        const text = JSON.stringify(event);
        if (text !== last) yield event;
        last = text;
        if (hasEnded(event.status)) {
          stopWaiting.abort();
          return;
        }
        await changed;
      }
    },
    async invalidate(type: string): Promise<number> {
      types.require(type, 'type');
      return invalidateResults(database, type);
    },
  };
}
export type Submissions = ReturnType<typeof createSubmissions>;

const answer = ({ jobId, cached, requestId }: CreateOutcome): CreatedJob => ({ jobId, cached, requestId });

/** An error that names each issue under `at`. */
export function invalid(issues: readonly Issue[], at: string): ServiceError {
  return new ServiceError('invalid', 'Invalid request', {
    issues: issues.map(({ path, message }) => ({ path: [at, path].filter((part) => part !== '').join('.'), message })),
  });
}
