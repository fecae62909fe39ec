import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';

/** `points` attempts in each window of `windowSeconds`. */
export type Limit = { points: number; windowSeconds: number };

export interface AttemptLimits {
  /** Failed logins of one account, from any address. */
  account: Limit;
  /** Failed logins and refreshes from one address. */
  address: Limit;
  register: Limit;
}

/** Ten attempts for an account, a hundred for a building, in five minutes: enough to mistype, too few to guess. */
export const defaultLimits: AttemptLimits = {
  account: { points: 10, windowSeconds: 300 },
  address: { points: 100, windowSeconds: 300 },
  register: { points: 100, windowSeconds: 300 },
};

const counterNames = ['account', 'address', 'register'] as const;

/** The counters of an attempt, for example `{ account: 'a@example.org', address: '192.0.2.1' }`. */
export type AttemptCounters = Partial<Record<keyof AttemptLimits, string>>;

/** Counts attempts in Postgres, because several API processes share the count. */
export class AttemptLimiter {
  private readonly limiters: Record<keyof AttemptLimits, RateLimiterPostgres>;

  constructor(database: Database, limits: AttemptLimits) {
    const createLimiter = (name: keyof AttemptLimits) =>
      new RateLimiterPostgres({
        storeClient: database.pool,
        storeType: 'pool',
        tableName: 'RateLimit',
        tableCreated: true,
        clearExpiredByTimeout: false,
        keyPrefix: name,
        points: limits[name].points,
        duration: limits[name].windowSeconds,
      });
    this.limiters = {
      account: createLimiter('account'),
      address: createLimiter('address'),
      register: createLimiter('register'),
    };
  }

  /** Counts an attempt with a yet unknown outcome. Throws `too_many` when a counter is used up. */
  async begin(counters: AttemptCounters): Promise<void> {
    for (const [name, key] of toKeys(counters)) {
      await this.limiters[name].consume(key).catch((refusal: unknown) => {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
        throw new ServiceError('too_many', `Too many attempts: try again in ${retryAfterSeconds} s`, {
          retryAfterSeconds,
        });
      });
    }
  }

  /** Takes a successful attempt back and forgives the earlier failures of the account. */
  async succeed(counters: AttemptCounters): Promise<void> {
    for (const [name, key] of toKeys(counters)) {
      const limiter = this.limiters[name];
      await (name === 'account' ? limiter.delete(key) : limiter.reward(key));
    }
  }
}

/** Returns the counters in a fixed order, keys in lower case: `A@example.org` → `a@example.org`. */
const toKeys = (counters: AttemptCounters) =>
  counterNames.flatMap((name): [keyof AttemptLimits, string][] => {
    const key = counters[name];
    return key === undefined ? [] : [[name, key.toLowerCase()]];
  });
