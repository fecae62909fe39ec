import { LRUCache } from 'lru-cache';

/** Milliseconds during which a job offered first to one worker is offered last to the rest. */
const offerMs = 100;
const maxOffers = 10_000;

/** Jobs to read beyond the limit of a poll, to find jobs not just offered to another worker. */
export const extraOffers = 32;

/**
 * Orders polled jobs to keep racing workers of the three-call protocol apart, because each worker assigns the first job of a
 * poll. The order is a courtesy: the database decides about the assignment. A lone worker always sees the strict order.
 */
export class PollOrder {
  /** Id of a job → worker with the first offer. */
  private readonly offers: LRUCache<number, string>;

  constructor(now: () => number) {
    this.offers = new LRUCache({ max: maxOffers, ttl: offerMs, ttlResolution: 0, perf: { now } });
  }

  /** Returns up to `limit` jobs: first the jobs not just offered to another worker, then the rest. */
  arrange<Job extends { id: number }>(jobs: readonly Job[], limit: number, worker: string): Job[] {
    const free: Job[] = [];
    const offered: Job[] = [];
    for (const job of jobs) ((this.offers.get(job.id) ?? worker) === worker ? free : offered).push(job);
    const arranged = [...free, ...offered].slice(0, limit);
    const [first] = arranged;
    if (first) this.offers.set(first.id, worker);
    return arranged;
  }
}

/** Rotates the items to begin at `from`, for example `[A, B, C]` from 1 → `[B, C, A]`. */
export const rotate = <Item>(items: readonly Item[], from: number) => [...items.slice(from), ...items.slice(0, from)];
