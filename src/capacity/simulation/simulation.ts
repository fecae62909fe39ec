import type { CapacityManager, ManagerOptions } from '../manager/manager.js';
import type { WorkerGroup } from '../manager/workers-file.js';
import { SimulatedApi } from './api.js';
import { EventQueue } from './event-queue.js';
import type { CallFaults } from './faults.js';
import { SimulatedCompute } from './provider.js';
import { type SimulatedJob, Workload } from './workload.js';

export interface SimulationOptions extends Partial<CallFaults> {
  groups: readonly WorkerGroup[];
  jobs: readonly SimulatedJob[];
  /** Milliseconds from a launch until the worker claims a job. */
  startMs?: number;
  /** Milliseconds from a worker's last job to the worker's end. */
  idleMs?: number;
  /** Milliseconds from a launch until the provider lists the task. */
  listedAfterMs?: number;
}

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
    const { fault = () => undefined } = options;
    const { events } = this;
    this.workload = new Workload({ groups, jobs, events, startMs, idleMs });
    this.compute = new SimulatedCompute({ events, workload: this.workload, listedAfterMs, fault });
    this.api = new SimulatedApi({ groups, events, workload: this.workload, fault });
  }

  get totals() {
    return { ...this.workload.totals, ...this.compute.totals, ...this.api.totals };
  }

  /** Number of existing workers. */
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

  /** Runs the manager until the simulated time is `untilMs`. */
  async run(manager: CapacityManager, untilMs: number): Promise<void> {
    this.events.schedule(untilMs, () => manager.stop());
    await manager.run();
  }

  /** Returns the options of a manager for the simulation. */
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
