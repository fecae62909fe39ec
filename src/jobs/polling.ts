import type { JobBody } from '../contract/jobs.js';
import { readOnChange } from '../database/subscription.js';
import type { JobDependencies } from './dependencies.js';
import type { JobTopic } from './job-notifications.js';
import { extraOffers, PollOrder, rotate } from './poll-order.js';
import { pollJobs, readPendingTypes } from './sql/poll.js';

export interface PollRequest {
  /** Undefined polls every type. */
  types: readonly string[] | undefined;
  limit: number;
  waitMs: number;
  /** Identifies the polling worker, for example `10.0.0.5:43210`. Undefined for callers without permission to claim. */
  worker: string | undefined;
  signal: AbortSignal;
}

/** Shows waiting jobs to workers of the three-call protocol (poll, assign, report). */
export class JobPolling {
  private readonly order: PollOrder;
  private turn = 0;

  constructor(private readonly deps: JobDependencies) {
    this.order = new PollOrder(deps.now);
  }

  /** Returns waiting jobs, the heads of the queues first: at once, or as soon as a job waits or `waitMs` passed. */
  async poll({ types, limit, waitMs, worker, signal }: PollRequest): Promise<JobBody[]> {
    const { notifications, types: registry, now } = this.deps;
    for (const type of types ?? []) registry.require(type, 'jobType');
    const topics = (types ?? registry.names).map((type): JobTopic => `pending:${type}`);
    const reads = readOnChange(notifications, { topics, waitMs, signal, now }, () => this.read(types, limit, worker));
    let jobs: JobBody[] = [];
    for await (jobs of reads) if (jobs.length > 0) break;
    return jobs;
  }

  private async read(types: readonly string[] | undefined, limit: number, worker: string | undefined) {
    const jobs = await pollJobs(this.deps.database, types ?? (await this.pendingTypes(limit)), limit + extraOffers);
    return worker === undefined ? jobs.slice(0, limit) : this.order.arrange(jobs, limit, worker);
  }

  /** Returns the types with waiting jobs. Types take turns in coming first when a poll cannot show a job of each. */
  private async pendingTypes(limit: number): Promise<string[]> {
    const types = await readPendingTypes(this.deps.database);
    if (types.length <= limit) return types;
    this.turn = (this.turn + 1) % types.length;
    return rotate(types, this.turn);
  }
}
