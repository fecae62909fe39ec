import type { CapacityManager, ManagerOptions } from '../manager/manager.js';
import { SimulatedApi } from './api.js';
import { EventQueue } from './event-queue.js';
import { SimulatedCompute, type SimulatedComputeOptions } from './provider.js';
import { Workload, type WorkloadOptions } from './workload.js';

export type SimulationOptions = Pick<WorkloadOptions, 'groups' | 'jobs'> &
  Partial<Pick<WorkloadOptions, 'startMs' | 'idleMs'> & Pick<SimulatedComputeOptions, 'listedAfterMs' | 'fault'>>;

/**
 * Surroundings of a capacity manager in simulated time: jobs arrive, the provider starts workers, the workers run jobs and
 * end when idle. A simulated day takes about a second, because nothing waits for a timer.
 */
export class Simulation {
  private readonly events = new EventQueue();
  private readonly workload: Workload;
  private readonly compute: SimulatedCompute;
  private readonly api: SimulatedApi;

  constructor(private readonly options: SimulationOptions) {
    const { groups, jobs, startMs = 30_000, idleMs = 120_000, listedAfterMs = 3_000 } = options;
    const { events } = this;
    const workload = new Workload({ groups, jobs, events, startMs, idleMs });
    const surroundings = { groups, events, workload, listedAfterMs, fault: options.fault ?? (() => undefined) };
    this.workload = workload;
    this.compute = new SimulatedCompute(surroundings);
    this.api = new SimulatedApi(surroundings);
  }

  get totals() {
    return { ...this.workload.totals, ...this.compute.totals, ...this.api.totals };
  }

  get workerCount(): number {
    return this.workload.workers.size;
  }

  /** Number of waiting and running jobs. */
  get unfinishedCount(): number {
    return this.options.jobs.length - this.workload.totals.done;
  }

  /** Runs `action` at a time, in milliseconds from the start. */
  at(atMs: number, action: () => void): void {
    this.events.schedule(atMs, action);
  }

  async run(manager: CapacityManager, untilMs: number): Promise<void> {
    this.events.schedule(untilMs, () => manager.stop());
    await manager.run();
  }

  managerOptions() {
    const { events } = this;
    return {
      api: this.api,
      compute: this.compute,
      groups: this.options.groups,
      now: () => events.nowMs,
      sleep: async (ms: number) => events.advance(events.nowMs + ms),
      newToken: () => `token-${this.compute.totals.launches}-${this.workload.totals.started}`,
    } satisfies Partial<ManagerOptions>;
  }
}
