import type { Compute, LaunchRequest, LaunchResult, Task } from '../../compute/provider.js';
import type { EventQueue } from './event-queue.js';
import { type CallFaults, failIfFaulty } from './faults.js';
import type { SimulatedWorker, Workload } from './workload.js';

export interface SimulatedComputeOptions extends CallFaults {
  events: EventQueue;
  workload: Workload;
  /** Milliseconds from a launch until the provider lists the task. */
  listedAfterMs: number;
}

/** Provider in memory. Lists tasks late and recognises repeated client tokens, like ECS. */
export class SimulatedCompute implements Compute {
  readonly provider = 'ecs';
  readonly listsAtOnce = false;
  readonly totals = { launches: 0, lists: 0 };
  private readonly startedByToken = new Map<string, SimulatedWorker[]>();

  constructor(private readonly options: SimulatedComputeOptions) {}

  async list(groups: readonly string[]): Promise<Task[]> {
    const { events, workload, listedAfterMs } = this.options;
    this.totals.lists += 1;
    failIfFaulty(this.options, 'list', events.nowMs);
    return [...workload.workers.values()].filter(
      ({ group, launchedAtMs }) => groups.includes(group) && events.nowMs - launchedAtMs >= listedAfterMs,
    );
  }

  async launch({ group, count, clientToken }: LaunchRequest): Promise<LaunchResult> {
    const { events, workload } = this.options;
    this.totals.launches += 1;
    const fault = failIfFaulty(this.options, 'launch', events.nowMs);
    const startCount = typeof fault === 'object' ? Math.min(count, fault.starts) : count;
    const started =
      this.startedByToken.get(clientToken) ?? Array.from({ length: startCount }, () => workload.startWorker(group));
    this.startedByToken.set(clientToken, started);
    if (fault === 'answer lost') throw new Error('simulated: the answer was lost');
    return { started, failures: started.length < count ? [{ reason: 'RESOURCE:FARGATE' }] : [] };
  }

  async close(): Promise<void> {}
}
