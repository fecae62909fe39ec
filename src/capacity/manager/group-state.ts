import type { Logger } from 'pino';
import type { LaunchRequest, Task } from '../../compute/provider.js';
import { backoffMs } from '../../platform/backoff.js';
import type { WorkerGroup } from './workers-file.js';

/** Maximum time from a launch until the provider lists the task. */
const unlistedMs = 60_000;
/** Minimum lifetime of a healthy worker: an earlier end means a failed start or an immediate crash. */
const minHealthyMs = 3_000;
const failureBackoff = { minMs: 1_000, maxMs: 300_000 };
const crashBackoff = { minMs: 1_000, maxMs: 60_000 };
const crashMessage = 'workers end as soon as they have started: see their log';

export type GroupLaunch = Omit<LaunchRequest, 'group'>;

export interface GroupStateOptions {
  group: WorkerGroup;
  /** True when the provider lists launched tasks immediately. */
  listsAtOnce: boolean;
  log: Pick<Logger, 'info' | 'warn'>;
  now(): number;
  random(): number;
}

/** Memory of a group between turns; everything else is read from the provider. */
export class GroupState {
  private readonly launches = new Map<string, { atMs: number; isListed: boolean }>();
  private launchAfterMs = Number.NEGATIVE_INFINITY;
  private failures = 0;
  private crashes = 0;
  private launchError: string | null = null;
  private unconfirmed: (GroupLaunch & { firstRequestedAtMs: number }) | undefined;

  constructor(private readonly options: GroupStateOptions) {}

  /** Counts existing tasks: listed tasks, and unlisted launches of the last minute. Notices crashes. */
  countExisting(listed: readonly Task[]): number {
    const arns = new Set(listed.map(({ arn }) => arn));
    let unlisted = 0;
    for (const [arn, launch] of this.launches) {
      const ageMs = this.options.now() - launch.atMs;
      const hasEnded = launch.isListed && !arns.has(arn);
      launch.isListed ||= arns.has(arn);
      const isHealthy = launch.isListed && ageMs > minHealthyMs;
      if (isHealthy) this.recordHealthyWorker();
      else if (hasEnded) this.recordCrash();
      if (hasEnded || isHealthy || (!launch.isListed && ageMs > unlistedMs)) this.launches.delete(arn);
      else if (!launch.isListed) unlisted += 1;
    }
    return listed.length + unlisted;
  }

  /** Returns the milliseconds until the group may launch again, because of a cooldown or after failures and crashes. */
  launchDelayMs(): number {
    return Math.max(0, this.launchAfterMs - this.options.now());
  }

  /** `isComplete`: as many tasks were started as requested, so earlier failures are over. */
  recordLaunch(tasks: readonly Task[], isComplete = true): void {
    const { group, listsAtOnce, log, now } = this.options;
    if (tasks.length === 0) return;
    for (const { arn } of tasks) this.launches.set(arn, { atMs: now(), isListed: listsAtOnce });
    this.launchAfterMs = now() + group.scaling.cooldownSeconds * 1000;
    if (!isComplete) return;
    if (this.launchError !== null) log.info({ group: group.name }, 'launching works again');
    this.failures = 0;
    this.launchError = null;
  }

  recordFailure(reason: string): void {
    const { group, log, random } = this.options;
    this.failures += 1;
    this.delayLaunches(backoffMs(this.failures, { ...failureBackoff, random }));
    if (this.launchError !== reason)
      log.warn({ group: group.name, reason }, 'could not launch workers; trying again with growing pauses');
    this.launchError = reason;
  }

  /** Returns the last minute's launch with a lost answer, to repeat with the same token: ECS starts nothing twice. */
  unconfirmedLaunch(): GroupLaunch | undefined {
    if (this.unconfirmed && this.options.now() - this.unconfirmed.firstRequestedAtMs > unlistedMs)
      this.unconfirmed = undefined;
    return this.unconfirmed;
  }

  recordLostAnswer(launch: GroupLaunch): void {
    const earlier = this.unconfirmed?.clientToken === launch.clientToken ? this.unconfirmed : undefined;
    // Counted from the first request, because tasks of the first request are listed a minute later at the latest.
    this.unconfirmed = { ...launch, firstRequestedAtMs: earlier?.firstRequestedAtMs ?? this.options.now() };
  }

  recordAnswer(): void {
    this.unconfirmed = undefined;
  }

  /** Returns the present problem; null when the last launch went well and the workers run. */
  lastError(): string | null {
    return this.launchError ?? (this.crashes > 0 ? crashMessage : null);
  }

  private delayLaunches(ms: number): void {
    this.launchAfterMs = Math.max(this.launchAfterMs, this.options.now() + ms);
  }

  private recordCrash(): void {
    const { group, log, random } = this.options;
    if (this.crashes === 0) log.warn({ group: group.name }, `${crashMessage}; trying again with growing pauses`);
    this.crashes += 1;
    this.delayLaunches(backoffMs(this.crashes, { ...crashBackoff, random }));
  }

  private recordHealthyWorker(): void {
    const { group, log } = this.options;
    if (this.crashes > 0) log.info({ group: group.name }, 'workers stay alive again');
    this.crashes = 0;
  }
}
