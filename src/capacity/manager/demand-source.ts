import { type Api, ApiError } from '../../client/api.js';
import type { Demand } from '../../contract/jobs.js';

export interface DemandSource {
  /** The demand: at once the first time, later as soon as it changed or `waitSeconds` passed. */
  next(waitSeconds: number, signal: AbortSignal): Promise<Demand>;
}

/** The most that an older server shows of its queue; more waiting jobs than this change no decision. */
const pollLimit = 500;

/**
 * Demand by long poll, or, from a server that offers only `GET /jobs/poll`, by counting what is polled every
 * `pollIntervalMs`. Such a server says nothing of running jobs.
 */
export function createDemandSource(
  api: Pick<Api, 'demand' | 'poll'>,
  options: { pollIntervalMs: number; sleep(ms: number, signal: AbortSignal): Promise<void> },
): DemandSource {
  let version: string | undefined;
  let older = false;

  const byPolling = async (waitSeconds: number, signal: AbortSignal): Promise<Demand> => {
    if (version !== undefined) await options.sleep(Math.min(options.pollIntervalMs, waitSeconds * 1000), signal);
    const { jobs } = await api.poll({ limit: pollLimit }, signal).catch((error: unknown) => {
      // An older one still knows no limit.
      if (error instanceof ApiError && error.status === 400) return api.poll({}, signal);
      throw error;
    });
    const pending = new Map<string, number>();
    for (const { type } of jobs) pending.set(type, (pending.get(type) ?? 0) + 1);
    version = 'polled';
    return {
      version,
      types: [...pending].map(([type, count]) => ({ type, pending: count, inProgress: 0, oldestPendingSeconds: 0 })),
    };
  };

  return {
    async next(waitSeconds, signal) {
      if (older) return byPolling(waitSeconds, signal);
      try {
        const demand = await api.demand(version === undefined ? 0 : waitSeconds, version, signal);
        version = demand.version;
        return demand;
      } catch (error) {
        if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 400)) throw error;
        older = true;
        return byPolling(waitSeconds, signal);
      }
    },
  };
}
