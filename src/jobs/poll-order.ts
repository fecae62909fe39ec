import { LRUCache } from 'lru-cache';

/** Milliseconds for which a job that one worker was offered first is offered last to other workers. */
const offerMs = 100;
const maxOffers = 10_000;

/** Jobs to read beyond the limit of a poll, to find jobs that no other worker was just offered. */
export const extraOffers = 32;

/**
 * Orders polled jobs so that racing workers of the three-call protocol do not all reach for the same job: each assigns the
 * first job that a poll shows. The order is a courtesy, because the database decides which worker gets a job. A worker alone
 * always sees the strict order.
 */
export class PollOrder {
  /** Id of a job → worker that was offered the job first. */
  private readonly offers: LRUCache<number, string>;

  constructor(now: () => number) {
    this.offers = new LRUCache({ max: maxOffers, ttl: offerMs, ttlResolution: 0, perf: { now } });
  }

  /** Returns up to `limit` jobs: first the jobs that no other worker was just offered, then the rest. */
  arrange<Job extends { id: number }>(jobs: readonly Job[], limit: number, worker: string): Job[] {
    const isFree = ({ id }: Job) => (this.offers.get(id) ?? worker) === worker;
    const arranged = [...jobs.filter(isFree), ...jobs.filter((job) => !isFree(job))].slice(0, limit);
    const [first] = arranged;
    if (first) this.offers.set(first.id, worker);
    return arranged;
  }
}

/** Rotates the items to begin at `start`, for example `[A, B, C]` from 1 → `[B, C, A]`. */
export const rotate = <Item>(items: readonly Item[], start: number): Item[] => [
  ...items.slice(start),
  ...items.slice(0, start),
];
