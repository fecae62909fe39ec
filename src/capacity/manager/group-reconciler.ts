import { type Compute, maxLaunch, type Task } from '../../compute/provider.js';
import type { GroupReport } from '../../contract/capacity.js';
import { toMessage } from '../../contract/errors.js';
import type { Demand } from '../../contract/jobs.js';
import { GroupState, type GroupStateOptions } from './group-state.js';
import { desiredWorkers, toGroupDemand } from './scaling.js';
import type { WorkerGroup } from './workers-file.js';

export interface GroupReconcilerOptions extends Pick<GroupStateOptions, 'log' | 'now' | 'random'> {
  compute: Compute;
  /** Returns false after the loss of the lease, or while the manager is being stopped. */
  mayLaunch(): Promise<boolean>;
  newToken(): string;
}

export class GroupReconciler {
  private readonly state: GroupState;
  private running = 0;

  constructor(
    private readonly group: WorkerGroup,
    private readonly options: GroupReconcilerOptions,
  ) {
    this.state = new GroupState({ ...options, group, listsAtOnce: options.compute.listsAtOnce });
  }

  launchDelayMs(): number {
    return this.state.launchDelayMs();
  }

  /** Returns true when the demand calls for more workers than the last turn counted, and the group may launch now. */
  needsLaunch(demand: Demand): boolean {
    const { jobTypes, scaling } = this.group;
    return this.launchDelayMs() === 0 && desiredWorkers(toGroupDemand(jobTypes, demand), scaling) > this.running;
  }

  async reconcile(demand: Demand, tasks: readonly Task[]): Promise<GroupReport> {
    const { name, jobTypes, scaling } = this.group;
    const groupDemand = toGroupDemand(jobTypes, demand);
    const desired = desiredWorkers(groupDemand, scaling);
    const listed = tasks.filter(({ group }) => group === name);
    // Counted before the launch, because the list lacks new tasks.
    const existing = this.state.countExisting(listed);
    const missing = desired - existing;
    const launched = missing > 0 && this.launchDelayMs() === 0 ? await this.launchMissing(missing, listed) : 0;
    this.running = existing + launched;
    const lastError = this.state.lastError();
    return { group: name, jobTypes: [...jobTypes], ...groupDemand, running: this.running, desired, lastError };
  }

  /**
   * Launches missing workers, ten at a time, and returns how many were started. Repeats an unconfirmed launch first; launches
   * nothing while fewer workers are missing than the unconfirmed launch requested, because the launch may have happened.
   */
  private async launchMissing(missing: number, listed: readonly Task[]): Promise<number> {
    const { mayLaunch, newToken } = this.options;
    const listedArns = new Set(listed.map(({ arn }) => arn));
    let launched = 0;
    while (launched < missing && (await mayLaunch())) {
      const unconfirmed = this.state.unconfirmedLaunch();
      const left = missing - launched;
      if (unconfirmed && unconfirmed.count > left) return launched;
      const { count, clientToken } = unconfirmed ?? { count: Math.min(left, maxLaunch), clientToken: newToken() };
      const started = await this.launch(count, clientToken);
      launched += started.filter(({ arn }) => !listedArns.has(arn)).length;
      if (started.length < count) return launched;
    }
    return launched;
  }

  private async launch(count: number, clientToken: string): Promise<Task[]> {
    const { compute, log } = this.options;
    const { name } = this.group;
    try {
      const { started, failures } = await compute.launch({ group: name, count, clientToken });
      this.state.recordAnswer();
      this.state.recordLaunch(started, failures.length === 0);
      if (started.length > 0) log.info({ group: name, started: started.length }, 'launched workers');
      const [failure] = failures;
      if (failure) this.state.recordFailure([failure.reason, failure.detail].filter(Boolean).join(': '));
      return started;
    } catch (error) {
      this.state.recordLostAnswer({ count, clientToken });
      this.state.recordFailure(toMessage(error));
      return [];
    }
  }
}
