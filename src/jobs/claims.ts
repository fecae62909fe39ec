import type { AssignmentBody, Claim, WorkerAssignment } from '../contract/jobs.js';
import { pollIntervalMs } from '../database/subscription.js';
import { ClaimQueue, type ClaimRequest } from './claim-queue.js';
import type { JobDependencies } from './dependencies.js';
import { releaseAll } from './requeue.js';
import { type AssignedJob, type AssignRequest, assignJob } from './sql/assign.js';
import { type AssignmentTerms, type ClaimedJob, type ClaimSlot, claimJobs } from './sql/claim.js';
import { defaultExpiryMinutes } from './types/registry.js';

/** Hands waiting jobs to workers: several by `claim`, or a polled job by `assign`. */
export class JobClaims {
  private readonly queue: ClaimQueue;
  private readonly terms: AssignmentTerms;
  private readonly unsubscribe: () => void;

  constructor(private readonly deps: JobDependencies) {
    const { notifications, storages, types, now } = deps;
    this.terms = {
      scheme: storages.current.scheme,
      baseUri: storages.current.baseUri,
      expiryMinutes: Object.fromEntries(types.all.map(({ name, expiryMinutes }) => [name, expiryMinutes])),
      defaultExpiryMinutes,
    };
    this.queue = new ClaimQueue({
      claim: (wanted, slots) => this.claimForSlots(wanted, slots),
      release: (claimed) => this.release(claimed).catch(deps.onError),
      pollIntervalMs: () => pollIntervalMs(notifications),
      now,
    });
    this.unsubscribe = notifications.subscribeToPending((type) => this.queue.notify(type));
  }

  /** Claims up to `count` jobs: at once, or as soon as a job waits; none when `waitMs` passed. */
  async claim(request: ClaimRequest, apiUrl: string): Promise<Claim[]> {
    for (const type of request.types) this.deps.types.require(type, 'jobTypes');
    const claimed = await this.queue.claim(request);
    // Guarantee 8, no job is lost: jobs of a worker that hung up return to the queue.
    if (request.signal.aborted && claimed.length > 0) {
      await this.release(claimed);
      return [];
    }
    return claimed.map(({ job, assignment }) => ({ job, assignment: this.toWorkerAssignment(assignment, apiUrl) }));
  }

  async assign(request: AssignRequest, apiUrl: string): Promise<AssignedJob> {
    const { job, assignment } = await assignJob(this.deps.database, request, this.terms);
    this.deps.assignmentTypes.set(assignment.id, job.type);
    this.deps.notifications.publish({ jobs: [request.jobId] });
    return { job, assignment: this.toWorkerAssignment(assignment, apiUrl) };
  }

  countWaiting(): number {
    return this.queue.countWaiting();
  }

  /** Answers every waiting claim to let the process end. */
  close(): void {
    this.unsubscribe();
    this.queue.close();
  }

  private async claimForSlots(types: readonly string[], slots: readonly ClaimSlot[]): Promise<ClaimedJob[]> {
    const { database, notifications, assignmentTypes } = this.deps;
    const claimed = await claimJobs(database, types, slots, this.terms);
    for (const { assignment, job } of claimed) assignmentTypes.set(assignment.id, job.type);
    if (claimed.length > 0) notifications.publish({ jobs: claimed.map(({ job }) => job.id) });
    return claimed;
  }

  private release(claimed: readonly ClaimedJob[]): Promise<unknown> {
    const assignmentIds = claimed.map(({ assignment }) => assignment.id);
    return releaseAll(this.deps, assignmentIds);
  }

  /** Adds `upload_url_prefix`, for storage with uploads through the API. */
  private toWorkerAssignment(assignment: AssignmentBody, apiUrl: string): WorkerAssignment {
    const storage = this.deps.storages.of(assignment.storage_scheme);
    const prefix = storage.uploadUrlPrefix?.(assignment.storage_uri, new Date(assignment.expires_at), apiUrl);
    return prefix === undefined ? assignment : { ...assignment, upload_url_prefix: prefix };
  }
}
