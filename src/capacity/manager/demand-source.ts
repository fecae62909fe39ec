import { ApiError } from '../../client/api-error.js';
import type { Demand, JobBody } from '../../contract/jobs.js';
import type { ManagerApi } from './lease.js';

/** Maximum of listed jobs of a legacy server; more jobs change no decision. */
const pollLimit = 500;

/** Reads the demand by long poll. On a legacy server with `GET /jobs/poll` alone, counts waiting jobs at intervals. */
export class DemandSource {
  private version: string | undefined;
  private isLegacyServer = false;

  constructor(
    private readonly api: Pick<ManagerApi, 'demand' | 'poll'>,
    private readonly options: { pollIntervalMs: number; sleep(ms: number, signal: AbortSignal): Promise<void> },
  ) {}

  /** Returns the demand: immediately the first time, later as soon as the demand changed or `waitSeconds` passed. */
  async next(waitSeconds: number, signal: AbortSignal): Promise<Demand> {
    if (this.isLegacyServer) return this.poll(waitSeconds, signal);
    try {
      const demand = await this.api.demand(this.version === undefined ? 0 : waitSeconds, this.version, signal);
      this.version = demand.version;
      return demand;
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 400)) throw error;
      this.isLegacyServer = true;
      return this.poll(waitSeconds, signal);
    }
  }

  private async poll(waitSeconds: number, signal: AbortSignal): Promise<Demand> {
    const { pollIntervalMs, sleep } = this.options;
    if (this.version !== undefined) await sleep(Math.min(pollIntervalMs, waitSeconds * 1000), signal);
    const { jobs } = await this.api.poll({ limit: pollLimit }, signal).catch((error: unknown) => {
      // Some legacy servers refuse the parameter `limit`.
      if (error instanceof ApiError && error.status === 400) return this.api.poll({}, signal);
      throw error;
    });
    this.version = 'polled';
    return { version: this.version, types: countByType(jobs) };
  }
}

function countByType(jobs: readonly Pick<JobBody, 'type'>[]): Demand['types'] {
  const pending = new Map<string, number>();
  for (const { type } of jobs) pending.set(type, (pending.get(type) ?? 0) + 1);
  return [...pending].map(([type, count]) => ({ type, pending: count, inProgress: 0, oldestPendingSeconds: 0 }));
}
