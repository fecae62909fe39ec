import type { Task } from '../../compute/provider.js';
import type { WorkerGroup } from '../manager/workers-file.js';
import type { EventQueue } from './event-queue.js';

export interface SimulatedJob {
  type: string;
  /** Time of submission, in milliseconds from the start. */
  atMs: number;
  runMs: number;
}

export interface SimulatedWorker extends Task {
  launchedAtMs: number;
}

class GroupWorkload {
  readonly pending: { runMs: number; queuedAtMs: number }[] = [];
  readonly idle: { worker: SimulatedWorker }[] = [];
  inProgress = 0;
}

export interface WorkloadOptions {
  groups: readonly WorkerGroup[];
  jobs: readonly SimulatedJob[];
  events: EventQueue;
  /** Milliseconds from a launch until the worker claims a job. */
  startMs: number;
  /** Milliseconds from a worker's last job to the worker's end. */
  idleMs: number;
}

export class Workload {
  readonly workers = new Map<string, SimulatedWorker>();
  /** Changes with the demand. */
  version = 0;
  readonly totals = { started: 0, done: 0, maxWorkers: 0, maxWaitMs: 0 };
  private readonly groups: ReadonlyMap<string, GroupWorkload>;

  constructor(private readonly options: WorkloadOptions) {
    this.groups = new Map(options.groups.map(({ name }) => [name, new GroupWorkload()]));
    for (const { type, atMs, runMs } of options.jobs) {
      const group = options.groups.find(({ jobTypes }) => jobTypes.includes(type));
      if (group) options.events.schedule(atMs, () => this.submit(group.name, runMs));
    }
  }

  group(name: string): GroupWorkload {
    const group = this.groups.get(name);
    if (!group) throw new Error(`no group ${name}`);
    return group;
  }

  startWorker(group: string): SimulatedWorker {
    const { events, startMs } = this.options;
    this.totals.started += 1;
    const worker: SimulatedWorker = {
      arn: `task-${this.totals.started}`,
      group,
      lastStatus: 'RUNNING',
      startedAt: undefined,
      launchedAtMs: events.nowMs,
    };
    this.workers.set(worker.arn, worker);
    this.totals.maxWorkers = Math.max(this.totals.maxWorkers, this.workers.size);
    events.schedule(events.nowMs + startMs, () => this.claim(worker));
    return worker;
  }

  private submit(groupName: string, runMs: number): void {
    const group = this.group(groupName);
    group.pending.push({ runMs, queuedAtMs: this.options.events.nowMs });
    this.version += 1;
    const waiter = group.idle.shift();
    if (waiter) this.claim(waiter.worker);
  }

  /** Gives the worker the oldest job; without a job the worker waits. */
  private claim(worker: SimulatedWorker): void {
    const { events } = this.options;
    const group = this.group(worker.group);
    const job = group.pending.shift();
    if (!job) {
      this.waitForJob(worker);
      return;
    }
    group.inProgress += 1;
    this.totals.maxWaitMs = Math.max(this.totals.maxWaitMs, events.nowMs - job.queuedAtMs);
    this.version += 1;
    events.schedule(events.nowMs + job.runMs, () => {
      group.inProgress -= 1;
      this.totals.done += 1;
      this.version += 1;
      this.claim(worker);
    });
  }

  private waitForJob(worker: SimulatedWorker): void {
    const { events, idleMs } = this.options;
    const { idle } = this.group(worker.group);
    const waiter = { worker };
    idle.push(waiter);
    events.schedule(events.nowMs + idleMs, () => {
      const position = idle.indexOf(waiter);
      if (position < 0) return;
      idle.splice(position, 1);
      this.workers.delete(worker.arn);
    });
  }
}
