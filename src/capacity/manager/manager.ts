import type { Logger } from 'pino';
import type { Compute } from '../../compute/provider.js';
import type { GroupReport } from '../../contract/capacity.js';
import { toMessage } from '../../contract/errors.js';
import type { Demand } from '../../contract/jobs.js';
import { backoffMs } from '../../platform/backoff.js';
import { DemandSource } from './demand-source.js';
import { GroupReconciler } from './group-reconciler.js';
import { Lease, type ManagerApi, renewEverySeconds } from './lease.js';
import { Reporter } from './reporter.js';
import { listTtlMs, TaskList } from './task-list.js';
import type { WorkerGroup } from './workers-file.js';

export interface ManagerOptions {
  api: ManagerApi;
  compute: Compute;
  groups: readonly WorkerGroup[];
  holder: string;
  pollIntervalMs: number;
  log: Pick<Logger, 'info' | 'warn'>;
  now(): number;
  /** Resolves after `ms`, or as soon as the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
  newToken(): string;
  /** Receives the status after each turn, but not while the manager stands by. */
  onTurn?: ((status: ManagerStatus) => void) | undefined;
}

export interface ManagerStatus {
  /** False while the manager stands by. */
  active: boolean;
  lastSuccessAt: number | undefined;
  lastError: string | null;
  groups: GroupReport[];
}

/** Minimum time from turn to turn, however fast the demand changes. */
const minTurnMs = 200;
const standbyMs = 5_000;
const turnBackoff = { minMs: 1_000, maxMs: 30_000 };

/** Follows the demand: reads the demand, lists existing tasks, decides, launches missing workers, reports. */
export class CapacityManager {
  private readonly stopping = new AbortController();
  private readonly demandSource: DemandSource;
  private readonly lease: Lease;
  private readonly taskList: TaskList;
  private readonly reporter: Reporter;
  private readonly groups: readonly GroupReconciler[];
  private readonly unservedTypes = new Set<string>();
  private readonly currentStatus: ManagerStatus = {
    active: false,
    lastSuccessAt: undefined,
    lastError: null,
    groups: [],
  };
  private isStandingBy = false;
  /** Settles when the last `run` or `once` has ended, well or not. */
  finished: Promise<void> = Promise.resolve();

  constructor(private readonly options: ManagerOptions) {
    const { api, compute, groups, holder, now } = options;
    this.demandSource = new DemandSource(api, options);
    this.lease = new Lease(api, holder, now);
    this.reporter = new Reporter(api, holder, now);
    const names = groups.map(({ name }) => name);
    this.taskList = new TaskList(compute, names, now);
    const mayLaunch = async () => !this.stopping.signal.aborted && (await this.lease.acquire()).acquired;
    this.groups = groups.map((group) => new GroupReconciler(group, { ...options, mayLaunch }));
  }

  run(): Promise<void> {
    return this.track(this.takeTurns());
  }

  once(): Promise<void> {
    return this.track(this.turn().finally(() => this.release()));
  }

  stop(): void {
    this.stopping.abort();
  }

  status(): ManagerStatus {
    return this.currentStatus;
  }

  /** Takes one turn: acts, or stands by while another manager holds the lease. */
  async turn(waitSeconds = 0): Promise<void> {
    const status = this.currentStatus;
    if (!(await this.isActive())) {
      status.lastSuccessAt = this.options.now();
      return;
    }
    const demand = await this.demandSource.next(waitSeconds, this.stopping.signal);
    if (this.stopping.signal.aborted) return;
    this.warnAboutUnservedTypes(demand);
    const tasks = await this.taskList.read({ mayReuse: !this.groups.some((group) => group.needsLaunch(demand)) });
    status.groups = await Promise.all(this.groups.map((group) => group.reconcile(demand, tasks)));
    status.lastError = null;
    status.lastSuccessAt = this.options.now();
    this.options.onTurn?.(status);
    await this.reporter.report(status.groups, status.lastError);
  }

  private async takeTurns(): Promise<void> {
    const { now, random, sleep } = this.options;
    const { signal } = this.stopping;
    let failures = 0;
    while (!signal.aborted) {
      const startedAtMs = now();
      try {
        await this.turn(Math.ceil(this.maxWaitSeconds()));
        failures = 0;
        await sleep(this.isStandingBy ? standbyMs : Math.max(0, minTurnMs - (now() - startedAtMs)), signal);
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        this.recordFailedTurn(error);
        await sleep(backoffMs(failures, { ...turnBackoff, random }), signal);
      }
    }
    await this.release();
  }

  /** Acquires the lease, and logs when this manager becomes active or stands by. */
  private async isActive(): Promise<boolean> {
    const { log } = this.options;
    const answer = await this.lease.acquire();
    if (answer.acquired && this.isStandingBy) log.info('took over as the acting manager');
    if (!answer.acquired && !this.isStandingBy)
      log.info({ holder: answer.holder }, 'another manager acts; standing by');
    this.isStandingBy = !answer.acquired;
    this.currentStatus.active = answer.acquired;
    return answer.acquired;
  }

  /**
   * Returns how long the next turn may wait for the demand to change: at most until a cooldown or backoff of a group ends,
   * until a reused list is outdated, and for half of the ten poll intervals after which the manager counts as unhealthy.
   */
  private maxWaitSeconds(): number {
    const delaysMs = this.groups.map((group) => group.launchDelayMs()).filter((ms) => ms > 0);
    const waitsMs = [...delaysMs.map((ms) => ms + 50), ...(this.taskList.wasReused ? [listTtlMs] : [])];
    return Math.min(renewEverySeconds, ...[5 * this.options.pollIntervalMs, ...waitsMs].map((ms) => ms / 1000));
  }

  private warnAboutUnservedTypes(demand: Demand): void {
    const { groups, log } = this.options;
    const served = new Set(groups.flatMap(({ jobTypes }) => jobTypes));
    for (const { type } of demand.types) {
      if (served.has(type) || this.unservedTypes.has(type)) continue;
      this.unservedTypes.add(type);
      log.warn({ jobType: type }, 'no group of workers serves this job type; its jobs are skipped');
    }
  }

  private recordFailedTurn(error: unknown): void {
    const message = toMessage(error);
    if (this.currentStatus.lastError !== message)
      this.options.log.warn({ err: error }, 'a turn failed; trying again with growing pauses');
    this.currentStatus.lastError = message;
  }

  private async release(): Promise<void> {
    const { log } = this.options;
    await this.lease.release().catch((error: unknown) => log.warn({ err: error }, 'could not release the lease'));
  }

  private track(running: Promise<void>): Promise<void> {
    this.finished = running.catch(() => {});
    return running;
  }
}
