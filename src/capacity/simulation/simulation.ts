import { type Api, createApi } from '../../client/api.js';
import type { Compute, LaunchRequest, LaunchResult, Task } from '../../compute/provider.js';
import type { Manager, ManagerOptions } from '../manager/manager.js';
import type { WorkerGroup } from '../manager/workers-file.js';

export interface SimulatedJob {
  type: string;
  /** When it is submitted, in milliseconds from the start. */
  atMs: number;
  /** How long a worker takes for it. */
  runMs: number;
}

/** What a call does instead of succeeding: fails before it acts, acts and loses its answer, or acts in part. */
export type Fault = 'fails' | 'answer lost' | { starts: number };

export interface SimulationOptions {
  groups: readonly WorkerGroup[];
  jobs: readonly SimulatedJob[];
  /** From a launch until the worker asks for jobs. */
  startMs?: number;
  /** A worker without a job leaves after it. */
  idleMs?: number;
  /** From a launch until the provider lists the task. */
  listedAfterMs?: number;
  fault?: (call: 'list' | 'launch' | 'api', nowMs: number) => Fault | undefined;
}

interface Worker extends Task {
  launchedAt: number;
}

/**
 * A world for a capacity manager, in simulated time: jobs arrive, the provider starts tasks, these take jobs and leave when
 * idle. A day passes in a second or so, without timers; what fails is decided by `fault`.
 */
export function createSimulation(options: SimulationOptions) {
  const { groups, startMs = 30_000, idleMs = 120_000, listedAfterMs = 3_000, fault = () => undefined } = options;
  const world = { now: 0, version: 0 };
  const events = createEvents();
  const waiting = new Map<string, { runMs: number; since: number }[]>(groups.map(({ name }) => [name, []]));
  const inProgress = new Map<string, number>(groups.map(({ name }) => [name, 0]));
  const idle = new Map<string, { worker: Worker }[]>(groups.map(({ name }) => [name, []]));
  const workers = new Map<string, Worker>();
  const tokens = new Map<string, Worker[]>();
  const totals = { launches: 0, lists: 0, apiCalls: 0, started: 0, done: 0, mostWorkers: 0, longestWaitMs: 0 };
  const end: { atMs: number; manager?: Manager } = { atMs: Number.POSITIVE_INFINITY };
  let made = 0;

  const of = <T>(map: Map<string, T>, name: string): T => {
    const value = map.get(name);
    if (value === undefined) throw new Error(`no group ${name}`);
    return value;
  };
  const groupOf = (type: string) => groups.find(({ jobTypes }) => jobTypes.includes(type))?.name;
  const changed = () => {
    world.version += 1;
  };

  /** The worker takes the oldest job, or waits for one until it has been idle for too long. */
  const takeJob = (worker: Worker) => {
    const job = of(waiting, worker.group).shift();
    if (job) {
      inProgress.set(worker.group, of(inProgress, worker.group) + 1);
      totals.longestWaitMs = Math.max(totals.longestWaitMs, world.now - job.since);
      changed();
      events.add(world.now + job.runMs, () => {
        inProgress.set(worker.group, of(inProgress, worker.group) - 1);
        totals.done += 1;
        changed();
        takeJob(worker);
      });
      return;
    }
    const mine = { worker };
    of(idle, worker.group).push(mine);
    events.add(world.now + idleMs, () => {
      const still = of(idle, worker.group).indexOf(mine);
      if (still < 0) return;
      of(idle, worker.group).splice(still, 1);
      workers.delete(worker.arn);
    });
  };

  for (const { type, atMs, runMs } of options.jobs) {
    const group = groupOf(type);
    if (group === undefined) continue;
    events.add(atMs, () => {
      of(waiting, group).push({ runMs, since: world.now });
      changed();
      const free = of(idle, group).shift();
      if (free) takeJob(free.worker);
    });
  }

  /** Lets time pass, at most until `stop` holds. */
  const advance = (untilMs: number, stop: () => boolean = () => false) => {
    while (!stop()) {
      const next = events.takeUntil(untilMs);
      world.now = Math.max(world.now, next?.at ?? untilMs);
      if (!next) break;
      next.happen();
    }
    if (world.now >= end.atMs) end.manager?.stop();
  };

  const start = (group: string): Worker => {
    made += 1;
    const worker: Worker = {
      arn: `task-${made}`,
      group,
      lastStatus: 'RUNNING',
      startedAt: undefined,
      launchedAt: world.now,
    };
    workers.set(worker.arn, worker);
    totals.started += 1;
    totals.mostWorkers = Math.max(totals.mostWorkers, workers.size);
    events.add(world.now + startMs, () => takeJob(worker));
    return worker;
  };

  const failing = (call: 'list' | 'launch' | 'api') => {
    const found = fault(call, world.now);
    if (found === 'fails') throw new Error(`simulated: ${call} fails`);
    return found;
  };

  const compute: Compute = {
    provider: 'ecs',
    listsAtOnce: false,
    async list(names) {
      totals.lists += 1;
      failing('list');
      return [...workers.values()].filter(
        ({ group, launchedAt }) => names.includes(group) && world.now - launchedAt >= listedAfterMs,
      );
    },
    async launch({ group, count, clientToken }: LaunchRequest): Promise<LaunchResult> {
      totals.launches += 1;
      const found = failing('launch');
      const before = tokens.get(clientToken);
      const some = typeof found === 'object' ? Math.min(count, found.starts) : count;
      const started = before ?? Array.from({ length: some }, () => start(group));
      tokens.set(clientToken, started);
      if (found === 'answer lost') throw new Error('simulated: the answer was lost');
      const failures = started.length < count ? [{ reason: 'RESOURCE:FARGATE' }] : [];
      return { started, failures };
    },
    close: async () => {},
  };

  const api: Api = {
    ...createApi({ baseUrl: 'http://127.0.0.1:9', credentials: { kind: 'none' } }),
    takeLease: async () => ({ held: true, expiresAt: '' }),
    releaseLease: async () => {},
    reportCapacity: async () => ({ recorded: groups.length }),
    async demand(waitSeconds, version) {
      totals.apiCalls += 1;
      failing('api');
      const seen = world.version;
      if (version === String(seen)) advance(world.now + waitSeconds * 1000, () => world.version !== seen);
      return {
        version: String(world.version),
        types: groups.map(({ name, jobTypes }) => ({
          type: jobTypes[0] ?? name,
          pending: of(waiting, name).length,
          inProgress: of(inProgress, name),
          oldestPendingSeconds: 0,
        })),
      };
    },
  };

  return {
    totals,
    now: () => world.now,
    workers: () => workers.size,
    /** Lets something happen at a time. */
    at: events.add,
    /** Lets the manager run until the world is `untilMs` old. */
    async run(manager: Manager, untilMs: number): Promise<void> {
      Object.assign(end, { atMs: untilMs, manager });
      await manager.run();
    },
    unfinished: () => options.jobs.length - totals.done,
    /** What a manager needs to live in this world. */
    managerOptions: {
      api,
      compute,
      groups,
      now: () => world.now,
      sleep: async (ms: number) => advance(world.now + ms),
      newToken: () => `token-${totals.launches}-${made}`,
    } satisfies Partial<ManagerOptions>,
  };
}

interface SimulatedEvent {
  at: number;
  happen(): void;
}

/** Events in order of time, those of one time in the order in which they were added: a binary heap. */
function createEvents() {
  const heap: (SimulatedEvent & { order: number })[] = [];
  let added = 0;
  const before = (a: number, b: number) => {
    const [one, other] = [heap[a], heap[b]];
    return one && other ? one.at < other.at || (one.at === other.at && one.order < other.order) : false;
  };
  const swap = (a: number, b: number) => {
    const [one, other] = [heap[a], heap[b]];
    if (one && other) [heap[a], heap[b]] = [other, one];
  };
  return {
    add(at: number, happen: () => void) {
      added += 1;
      let n = heap.push({ at, happen, order: added }) - 1;
      while (n > 0 && before(n, (n - 1) >> 1)) {
        swap(n, (n - 1) >> 1);
        n = (n - 1) >> 1;
      }
    },
    /** The next event up to `untilMs`, taken out. */
    takeUntil(untilMs: number): SimulatedEvent | undefined {
      const [first] = heap;
      if (!first || first.at > untilMs) return undefined;
      swap(0, heap.length - 1);
      heap.pop();
      for (let n = 0; ; ) {
        let least = n;
        for (const child of [2 * n + 1, 2 * n + 2]) if (before(child, least)) least = child;
        if (least === n) return first;
        swap(n, least);
        n = least;
      }
    },
  };
}
