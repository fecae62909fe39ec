import type { Caller } from '../accounts/caller.js';
import type { CreatedJob } from '../contract/jobs.js';
import { createBatcher } from '../database/batcher.js';
import type { Database } from '../database/database.js';
import { isRefusedInput } from '../database/errors.js';
import { jobHash } from './cache-key.js';
import type { JobDependencies } from './dependencies.js';
import type { JobNotifications } from './job-notifications.js';
import { type CreateOutcome, createJobs, type NewJob } from './sql/create.js';
import { invalidPayload, type JobTypeRegistry } from './types/registry.js';

export interface Submission {
  type: string;
  payload: unknown;
  priority?: number | undefined;
}

const maxBatchJobs = 1000;

/** Submits jobs. Submissions that arrive together share a statement and a commit. */
export class JobSubmissions {
  private readonly record: (jobs: NewJob[]) => Promise<CreateOutcome[]>;
  private readonly types: JobTypeRegistry;

  constructor({ database, notifications, types }: JobDependencies) {
    this.types = types;
    this.record = createBatcher({
      maxWeight: maxBatchJobs,
      weigh: (jobs: NewJob[]) => jobs.length,
      concurrency: 2,
      isFaultOfCall: isRefusedInput,
      serve: (calls) => recordSubmissions(database, notifications, calls),
    });
  }

  async submit(submission: Submission, { userId }: Caller): Promise<CreatedJob> {
    const [outcome] = await this.record([toNewJob(this.types, submission, userId, '')]);
    if (!outcome) throw new Error('The database returned no outcome for the submission');
    return toCreatedJob(outcome);
  }

  /** Submits all or none. Throws an `invalid` error with each problem of the first invalid submission. */
  async submitBatch(submissions: readonly Submission[], { userId }: Caller): Promise<CreatedJob[]> {
    const jobs = submissions.map((submission, n) => toNewJob(this.types, submission, userId, `jobs.${n}.`));
    return (await this.record(jobs)).map(toCreatedJob);
  }
}

const toCreatedJob = ({ jobId, cached, requestId }: CreateOutcome): CreatedJob => ({ jobId, cached, requestId });

/** Checks the submission. Issues are at `path`, for example `jobs.2.inputPayload.x_dist` for the path `jobs.2.`. */
function toNewJob(types: JobTypeRegistry, { type, payload, priority = 0 }: Submission, userId: number, path: string) {
  const jobType = types.require(type, `${path}type`);
  const checked = jobType.checkInput(payload);
  if (!checked.ok) throw invalidPayload(checked.issues, `${path}inputPayload`);
  const { maxAttempts } = jobType;
  return { userId, type, payload: checked.value, hash: jobHash(type, checked.value), priority, maxAttempts };
}

async function recordSubmissions(database: Database, notifications: JobNotifications, calls: readonly NewJob[][]) {
  const outcomes = await createJobs(database, calls.flat());
  notifications.publish({
    pending: new Set(outcomes.filter(({ claimable }) => claimable).map(({ type }) => type)),
    jobs: outcomes.filter(({ created }) => created).map(({ jobId }) => jobId),
  });
  let start = 0;
  return calls.map(({ length }) => {
    start += length;
    return outcomes.slice(start - length, start);
  });
}
