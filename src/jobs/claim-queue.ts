import type { ClaimedJob, ClaimSlot } from './sql/claim.js';

export interface ClaimWish extends ClaimSlot {
  types: readonly string[];
  waitMs: number;
  /** Aborted when the worker hangs up. */
  signal: AbortSignal;
}

export interface Dispatcher {
  claim(wish: ClaimWish): Promise<ClaimedJob[]>;
  /** Waiting claims that want `type`, or all of them without one, look at the queue again. */
  wake(type: string | undefined): void;
  /** How many claims wait for a job. */
  waiting(): number;
  /** Answers every waiting claim with nothing, and later ones without waiting. */
  close(): void;
}

interface Waiter extends ClaimWish {
  key: string;
  deadline: number;
  timer: NodeJS.Timeout | undefined;
  settle(result: ClaimedJob[]): void;
  fail(error: unknown): void;
}

/** At most this many waiters are woken for one look at the queue: a new job must not cost a look by each of thousands. */
const maxWoken = 100;
/** The largest number of jobs taken by one statement. */
const maxJobs = 400;
/** Empty lines are kept, up to this many: they know whose turn it is, so that a worker alone, too, takes its types in turn. */
const maxIdleLines = 200;

/**
 * The workers of this process that wait for jobs. Those that want the same types stand in one line: their wishes are
 * served together by one statement, first come first served, and the line moves on while it finds work.
 */
export function createDispatcher(options: {
  /** Claims for several slots; the result says which slot got what. */
  claim(types: readonly string[], slots: readonly ClaimSlot[]): Promise<ClaimedJob[]>;
  /** Takes back what was claimed for a worker that has hung up meanwhile. */
  handBack(claimed: ClaimedJob[]): Promise<void>;
  /** Wakes lost to a broken connection are made good by looking again this often. */
  pollIntervalMs(): number;
  now(): number;
}): Dispatcher {
  interface Line {
    types: readonly string[];
    ready: Waiter[];
    parked: Set<Waiter>;
    busy: boolean;
    /** Rises with each wake, so that a wake during a look is not lost. */
    wakes: number;
    turn: number;
  }
  const lines = new Map<string, Line>();
  let closed = false;
  let lookAgain: NodeJS.Timeout | undefined;

  /** Takes the waiter out of its line; false when it does not stand there: it is being served, or was. */
  const leave = (waiter: Waiter): boolean => {
    const line = lines.get(waiter.key);
    if (!line) return false;
    const ready = line.ready.filter((other) => other !== waiter);
    const stood = line.parked.delete(waiter) || ready.length < line.ready.length;
    line.ready = ready;
    dropIfIdle(line);
    return stood;
  };

  const dropIfIdle = (line: Line) => {
    if (lines.size <= maxIdleLines || line.busy || line.parked.size > 0 || line.ready.length > 0) return;
    const key = batchKey(line.types);
    if (lines.get(key) === line) lines.delete(key);
  };

  const lineOf = (types: readonly string[], key: string): Line => {
    const line = lines.get(key) ?? { types, ready: [], parked: new Set(), busy: false, wakes: 0, turn: 0 };
    lines.set(key, line);
    return line;
  };

  const park = (line: Line, waiter: Waiter) => {
    if (closed || waiter.deadline <= options.now()) {
      waiter.settle([]);
      return;
    }
    line.parked.add(waiter);
    scheduleLook();
  };

  const scheduleLook = () => {
    lookAgain ??= setTimeout(() => {
      lookAgain = undefined;
      wake(undefined);
      if ([...lines.values()].some(({ parked }) => parked.size > 0)) scheduleLook();
    }, options.pollIntervalMs());
  };

  /** The next wishes of the line, as many as one statement serves. */
  const take = (line: Line): Waiter[] => {
    let jobs = 0;
    const batch: Waiter[] = [];
    for (const waiter of line.ready) {
      jobs += waiter.count;
      if (batch.length > 0 && jobs > maxJobs) break;
      batch.push(waiter);
    }
    line.ready = line.ready.slice(batch.length);
    return batch;
  };

  /** The types in an order that starts one further each time, so that a single wish, too, takes the types in turn. */
  const inTurn = (line: Line): string[] => {
    line.turn = (line.turn + 1) % line.types.length;
    return inOrderFrom(line.types, line.turn);
  };

  const serve = async (line: Line) => {
    if (line.busy) return;
    line.busy = true;
    try {
      while (line.ready.length > 0) {
        const batch = take(line);
        const wakes = line.wakes;
        try {
          const claimed = await options.claim(inTurn(line), batch);
          const empty = deal(batch, claimed);
          const foundEnough = empty.length === 0;
          for (const waiter of empty) {
            if (line.wakes !== wakes) line.ready.push(waiter);
            else park(line, waiter);
          }
          if (foundEnough) unpark(line);
        } catch (error) {
          for (const waiter of batch) waiter.fail(error);
        }
      }
    } finally {
      line.busy = false;
      dropIfIdle(line);
    }
  };

  /** Gives each waiter its jobs and returns those that got none and still wait. */
  const deal = (batch: Waiter[], claimed: ClaimedJob[]): Waiter[] => {
    const orphans: ClaimedJob[] = [];
    const empty: Waiter[] = [];
    for (const [slot, waiter] of batch.entries()) {
      const got = claimed.filter((claim) => claim.slot === slot);
      if (waiter.signal.aborted) {
        orphans.push(...got);
        waiter.settle([]);
      } else if (got.length > 0) waiter.settle(got);
      else empty.push(waiter);
    }
    if (orphans.length > 0) void options.handBack(orphans);
    return empty;
  };

  const unpark = (line: Line) => {
    for (const waiter of line.parked) {
      if (line.ready.length >= maxWoken) break;
      line.parked.delete(waiter);
      line.ready.push(waiter);
    }
  };

  const wake = (type: string | undefined) => {
    for (const line of lines.values()) {
      if (type !== undefined && !line.types.includes(type)) continue;
      line.wakes += 1;
      unpark(line);
      void serve(line);
    }
  };

  return {
    claim(wish) {
      const types = [...new Set(wish.types)].sort();
      const key = batchKey(types);
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          ...wish,
          key,
          deadline: closed ? 0 : options.now() + wish.waitMs,
          timer: undefined,
          settle(result) {
            stopWaiting();
            resolve(result);
          },
          fail(error) {
            stopWaiting();
            reject(error);
          },
        };
        const stopWaiting = () => {
          clearTimeout(waiter.timer);
          wish.signal.removeEventListener('abort', giveUp);
        };
        const giveUp = () => {
          if (leave(waiter)) waiter.settle([]);
          // It is being served: should it get nothing, it does not wait again.
          else waiter.deadline = Number.NEGATIVE_INFINITY;
        };
        wish.signal.addEventListener('abort', giveUp);
        if (wish.waitMs > 0) waiter.timer = setTimeout(giveUp, wish.waitMs);
        const line = lineOf(types, key);
        line.ready.push(waiter);
        // After this turn of the event loop, so that wishes read from the network together are served together.
        setImmediate(() => void serve(line));
      });
    },
    wake,
    waiting: () => [...lines.values()].reduce((sum, { parked }) => sum + parked.size, 0),
    close() {
      closed = true;
      clearTimeout(lookAgain);
      for (const line of lines.values()) {
        const parked = [...line.parked];
        line.parked.clear();
        for (const waiter of parked) waiter.settle([]);
      }
    },
  };
}

const batchKey = (types: readonly string[]) => types.join('\n');

/** The items in their order, beginning with the one at `start`, those before it last. */
export const inOrderFrom = <T>(items: readonly T[], start: number): T[] => [
  ...items.slice(start),
  ...items.slice(0, start),
];
