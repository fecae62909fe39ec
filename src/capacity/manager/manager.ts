import type { Logger } from 'pino';
import { type Api, ApiError } from '../../client/api.js';
import type { Compute, Task } from '../../compute/provider.js';
import { maxLaunch } from '../../compute/provider.js';
import type { GroupReport } from '../../contract/capacity.js';
import { toMessage } from '../../contract/errors.js';
import type { Demand } from '../../contract/jobs.js';
import { createDemandSource } from './demand-source.js';
import { createGroupState, type GroupState } from './group-state.js';
import { createLease, renewEverySeconds } from './lease.js';
import { backoffMs, desiredWorkers } from './scaling.js';
import type { WorkerGroup } from './workers-file.js';

/** The calls of the API that a manager makes. */
export type ManagerApi = Pick<Api, 'demand' | 'poll' | 'takeLease' | 'releaseLease' | 'reportCapacity'>;

export interface ManagerOptions {
  api: ManagerApi;
  compute: Compute;
  groups: readonly WorkerGroup[];
  /** Unique name of this manager. */
  holder: string;
  pollIntervalMs: number;
  log: Logger;
  now(): number;
  /** Waits, or less when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
  newToken(): string;
  /** Told after each turn in which this manager acted. */
  onTurn?: ((status: ManagerStatus) => void) | undefined;
}

export interface ManagerStatus {
  /** Whether this manager acts, or stands by for another. */
  active: boolean;
  lastSuccessAt: number | undefined;
  lastError: string | null;
  groups: GroupReport[];
}

export interface Manager {
  /** Turns until stopped; then gives up the lease. */
  run(): Promise<void>;
  /** One turn: whether it acted, or stood by. */
  turn(waitSeconds?: number): Promise<void>;
  /** One turn; then gives up the lease. */
  once(): Promise<void>;
  stop(): void;
  status(): ManagerStatus;
}

/** Turns come no faster, however fast the demand changes. */
const minTurnMs = 200;
/** How old a list of tasks may be that is not made at once, while nobody is missing: providers bound how often one asks. */
const listedForMs = 1_000;
/** A report is sent at least this often, so that its age shows that the manager lives. */
const reportEveryMs = 10_000;

/** Follows the demand: reads it, lists what exists, decides, launches the difference, reports. */
export function createManager(options: ManagerOptions): Manager {
  const { api, compute, groups, log, now } = options;
  const stopping = new AbortController();
  const demandSource = createDemandSource(api, options);
  const lease = createLease(api, options.holder, now);
  const states = new Map<string, GroupState>(
    groups.map((group) => [group.name, createGroupState(group, { ...options, listsAtOnce: compute.listsAtOnce })]),
  );
  const status: ManagerStatus = { active: false, lastSuccessAt: undefined, lastError: null, groups: [] };
  let standingBy = false;
  const unserved = new Set<string>();
  let listed: { tasks: Task[]; at: number; reused: boolean } | undefined;
  let reported = { text: '', at: Number.NEGATIVE_INFINITY };

  const stateOf = (group: WorkerGroup): GroupState => {
    const state = states.get(group.name);
    if (!state) throw new Error(`no state of the group ${group.name}`);
    return state;
  };

  /**
   * Launches what is missing, ten at a time; how many were started. A launch whose answer was lost is asked for again
   * first, and while fewer are missing than it asked for, nothing is launched: it may have happened.
   */
  const launch = async (group: WorkerGroup, missing: number, listed: readonly Task[]): Promise<number> => {
    const state = stateOf(group);
    const known = new Set(listed.map(({ arn }) => arn));
    let launched = 0;
    while (launched < missing && !stopping.signal.aborted && (await lease.hold()).held) {
      const unclear = state.unclear();
      const left = missing - launched;
      if (unclear && unclear.count > left) return launched;
      const request = unclear ?? { count: Math.min(left, maxLaunch), clientToken: options.newToken() };
      try {
        const { started, failures } = await compute.launch({ group: group.name, ...request });
        state.setUnclear();
        state.launched(started, failures.length === 0);
        if (started.length > 0) log.info({ group: group.name, started: started.length }, 'launched workers');
        launched += started.filter(({ arn }) => !known.has(arn)).length;
        const [failure] = failures;
        if (failure) state.failed([failure.reason, failure.detail].filter(Boolean).join(': '));
        if (started.length < request.count) return launched;
      } catch (error) {
        state.setUnclear(request);
        state.failed(toMessage(error));
        return launched;
      }
    }
    return launched;
  };

  const demandOf = ({ jobTypes }: WorkerGroup, demand: Demand) => {
    const types = demand.types.filter(({ type }) => jobTypes.includes(type));
    return {
      pending: types.reduce((sum, type) => sum + type.pending, 0),
      inProgress: types.reduce((sum, type) => sum + type.inProgress, 0),
    };
  };

  /** The existing tasks: asked for anew before anything is launched, and at least every second otherwise. */
  const listTasks = async (demand: Demand): Promise<Task[]> => {
    const fresh = listed && !compute.listsAtOnce && now() - listed.at < listedForMs;
    const isMissing = (group: WorkerGroup) => {
      const running = status.groups.find((report) => report.group === group.name)?.running ?? 0;
      return stateOf(group).heldMs() === 0 && desiredWorkers(demandOf(group, demand), group.scaling) > running;
    };
    if (listed && fresh && !groups.some(isMissing)) {
      listed.reused = true;
      return listed.tasks;
    }
    const at = now();
    listed = { tasks: await compute.list(groups.map(({ name }) => name)), at, reused: false };
    return listed.tasks;
  };

  const warnOfUnserved = (demand: Demand) => {
    const served = new Set(groups.flatMap(({ jobTypes }) => jobTypes));
    for (const { type } of demand.types) {
      if (served.has(type) || unserved.has(type)) continue;
      unserved.add(type);
      log.warn({ jobType: type }, 'no group of workers serves this job type; its jobs are skipped');
    }
  };

  /** Decides on one group and launches what is missing; what it found and did. */
  const reconcile = async (group: WorkerGroup, demand: Demand, tasks: readonly Task[]): Promise<GroupReport> => {
    const state = stateOf(group);
    const { pending, inProgress } = demandOf(group, demand);
    const desired = desiredWorkers({ pending, inProgress }, group.scaling);
    const ofGroup = tasks.filter((task) => task.group === group.name);
    // Asked once a turn: what is launched now is not in the list that was made before.
    const existing = state.existing(ofGroup);
    const missing = desired - existing;
    const launched = missing > 0 && state.heldMs() === 0 ? await launch(group, missing, ofGroup) : 0;
    return {
      group: group.name,
      jobTypes: [...group.jobTypes],
      pending,
      inProgress,
      running: existing + launched,
      desired,
      lastError: state.lastError(),
    };
  };

  const report = async () => {
    const text = JSON.stringify(status.groups);
    if (text === reported.text && now() - reported.at < reportEveryMs) return;
    await api.reportCapacity(options.holder, status.groups, status.lastError).catch((error: unknown) => {
      // An older server takes no reports.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
    reported = { text, at: now() };
  };

  const turn = async (waitSeconds = 0): Promise<void> => {
    const answer = await lease.hold();
    status.active = answer.held;
    if (!answer.held) {
      if (!standingBy) log.info({ holder: answer.holder }, 'another manager acts; standing by');
      standingBy = true;
      status.lastSuccessAt = now();
      return;
    }
    if (standingBy) log.info('took over as the acting manager');
    standingBy = false;
    const demand = await demandSource.next(waitSeconds, stopping.signal);
    if (stopping.signal.aborted) return;
    warnOfUnserved(demand);
    const tasks = await listTasks(demand);
    status.groups = await Promise.all(groups.map((group) => reconcile(group, demand, tasks)));
    status.lastError = null;
    status.lastSuccessAt = now();
    options.onTurn?.(status);
    await report();
  };

  /**
   * How long the next turn may wait for the demand to change: not past a cooldown that holds back missing workers, nor
   * past the age of a list that was used twice, nor so long that the manager would look dead (half of the ten poll
   * intervals that its health allows).
   */
  const waitSeconds = () => {
    const held = groups.map((group) => stateOf(group).heldMs()).filter((ms) => ms > 0);
    const waits = [...held.map((ms) => ms + 50), ...(listed?.reused ? [listedForMs] : [])];
    return Math.min(renewEverySeconds, (5 * options.pollIntervalMs) / 1000, ...waits.map((ms) => ms / 1000));
  };

  const release = () =>
    lease.release().catch((error: unknown) => log.warn({ err: error }, 'could not give up the lease'));

  return {
    turn,
    once: () => turn().finally(release),
    status: () => status,
    stop: () => stopping.abort(),
    async run() {
      let failures = 0;
      while (!stopping.signal.aborted) {
        const began = now();
        try {
          await turn(Math.ceil(waitSeconds()));
          failures = 0;
          await options.sleep(standingBy ? 5_000 : Math.max(0, minTurnMs - (now() - began)), stopping.signal);
        } catch (error) {
          if (stopping.signal.aborted) break;
          failures += 1;
          const message = toMessage(error);
          if (status.lastError !== message) log.warn({ err: error }, 'a turn failed; trying again with growing pauses');
          status.lastError = message;
          await options.sleep(Math.min(30_000, backoffMs(failures, options.random())), stopping.signal);
        }
      }
      await release();
    },
  };
}
