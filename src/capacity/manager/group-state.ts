import type { Logger } from 'pino';
import type { Task } from '../../compute/provider.js';
import { backoffMs } from './scaling.js';
import type { WorkerGroup } from './workers-file.js';

/** A launch is believed for so long, though the provider does not list it yet. */
const unlistedMs = 60_000;
/** A worker that ends within this time of its launch did not work: it could not start, or crashed at once. */
const settledMs = 3_000;
const longestPauseAfterCrashMs = 60_000;
const crashing = 'workers end as soon as they have started: see their log';

/** A launch as it was asked for. */
export interface AskedLaunch {
  count: number;
  clientToken: string;
}

/** What a manager must remember of a group between turns; everything else is what the provider says exists. */
export interface GroupState {
  /** Existing tasks: those listed, and launches of the last minute that are not listed yet. */
  existing(listed: readonly Task[]): number;
  /** Milliseconds until the group may launch again: its cooldown, or its backoff after failures and crashes. */
  heldMs(): number;
  /** `whole`: as many were started as asked for, so what failed before works again. */
  launched(tasks: readonly Task[], whole?: boolean): void;
  failed(reason: string): void;
  /**
   * The launch of the last minute whose answer was lost: it may have happened. Asking for it again, with its token, starts
   * nothing twice.
   */
  unclear(): AskedLaunch | undefined;
  /** Notes a launch whose answer was lost; without one, that the last answer came. */
  setUnclear(launch?: AskedLaunch): void;
  /** The present failure, null when the last launch went well and its workers live. */
  lastError(): string | null;
}

export function createGroupState(
  group: WorkerGroup,
  deps: { now(): number; random(): number; log: Logger; listsAtOnce: boolean },
): GroupState {
  const { now, log } = deps;
  const launches = new Map<string, { at: number; listed: boolean }>();
  let notBefore = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let crashes = 0;
  let lastError: string | null = null;
  let unclear: (AskedLaunch & { at: number }) | undefined;

  const hold = (ms: number) => {
    notBefore = Math.max(notBefore, now() + ms);
  };

  const crashed = () => {
    if (crashes === 0) log.warn({ group: group.name }, `${crashing}; trying again with growing pauses`);
    crashes += 1;
    hold(Math.min(longestPauseAfterCrashMs, backoffMs(crashes, deps.random())));
  };

  const lived = () => {
    if (crashes > 0) log.info({ group: group.name }, 'workers live again');
    crashes = 0;
  };

  return {
    existing(listed) {
      const there = new Set(listed.map(({ arn }) => arn));
      let unlisted = 0;
      for (const [arn, launch] of launches) {
        const age = now() - launch.at;
        const ended = launch.listed && !there.has(arn);
        launch.listed ||= there.has(arn);
        if (launch.listed && age > settledMs) lived();
        else if (ended) crashed();
        if (ended || (launch.listed ? age > settledMs : age > unlistedMs)) launches.delete(arn);
        else if (!launch.listed) unlisted += 1;
      }
      return listed.length + unlisted;
    },
    heldMs: () => Math.max(0, notBefore - now()),
    launched(tasks, whole = true) {
      if (tasks.length === 0) return;
      for (const { arn } of tasks) launches.set(arn, { at: now(), listed: deps.listsAtOnce });
      notBefore = now() + group.scaling.cooldownSeconds * 1000;
      if (!whole) return;
      if (lastError !== null) log.info({ group: group.name }, 'launching works again');
      failures = 0;
      lastError = null;
    },
    failed(reason) {
      failures += 1;
      hold(backoffMs(failures, deps.random()));
      if (lastError !== reason)
        log.warn({ group: group.name, reason }, 'could not launch workers; trying again with growing pauses');
      lastError = reason;
    },
    unclear() {
      if (unclear && now() - unclear.at > unlistedMs) unclear = undefined;
      return unclear;
    },
    setUnclear(launch) {
      // From the first time it was asked for: what it started then is listed a minute later at the latest.
      const at = launch && launch.clientToken === unclear?.clientToken ? unclear.at : now();
      unclear = launch && { ...launch, at };
    },
    lastError: () => lastError ?? (crashes > 0 ? crashing : null),
  };
}
