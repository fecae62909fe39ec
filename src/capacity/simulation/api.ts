import type { Demand } from '../../contract/jobs.js';
import type { ManagerApi } from '../manager/lease.js';
import type { WorkerGroup } from '../manager/workers-file.js';
import type { EventQueue } from './event-queue.js';
import { type CallFaults, failIfFaulty } from './faults.js';
import type { Workload } from './workload.js';

/** API in memory. A long poll for demand lets simulated time pass until the demand changes. */
export class SimulatedApi implements ManagerApi {
  readonly totals = { apiCalls: 0 };

  constructor(
    private readonly options: CallFaults & { groups: readonly WorkerGroup[]; events: EventQueue; workload: Workload },
  ) {}

  async demand(waitSeconds: number, version: string | undefined): Promise<Demand> {
    const { groups, events, workload } = this.options;
    this.totals.apiCalls += 1;
    failIfFaulty(this.options, 'api', events.nowMs);
    const knownVersion = workload.version;
    if (version === String(knownVersion))
      events.advance(events.nowMs + waitSeconds * 1000, () => workload.version !== knownVersion);
    return {
      version: String(workload.version),
      types: groups.map(({ name, jobTypes }) => ({
        type: jobTypes[0] ?? name,
        pending: workload.group(name).pending.length,
        inProgress: workload.group(name).inProgress,
        oldestPendingSeconds: 0,
      })),
    };
  }

  async poll(): Promise<never> {
    throw new Error('simulated: the manager reads the demand instead');
  }

  async takeLease(): Promise<{ held: true; expiresAt: string }> {
    return { held: true, expiresAt: '' };
  }

  async releaseLease(): Promise<void> {}

  async reportCapacity(): Promise<{ recorded: number }> {
    return { recorded: this.options.groups.length };
  }
}
