import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';

export interface Limit {
  points: number;
  windowSeconds: number;
}

export interface AttemptLimits {
  /** Failed logins of one account, from wherever. */
  account: Limit;
  /** Failed logins and refreshes from one address. */
  address: Limit;
  /** Accounts made from one address. */
  register: Limit;
}

/** Ten tries a person, a hundred a building, in five minutes: enough to mistype, too few to guess. */
export const defaultLimits: AttemptLimits = {
  account: { points: 10, windowSeconds: 300 },
  address: { points: 100, windowSeconds: 300 },
  register: { points: 100, windowSeconds: 300 },
};

export interface Attempts {
  /** Counts an attempt, or throws `too_many` when one of the counters is used up. */
  begin(counters: Counters): Promise<void>;
  /** The attempt was rightful: it does not count, and an account's earlier failures are forgiven. */
  succeed(counters: Counters): Promise<void>;
}
export type Counters = Partial<Record<keyof AttemptLimits, string>>;

/** Counts attempts in Postgres, so that several API processes share the count. */
export function createAttempts(database: Database, limits: AttemptLimits): Attempts {
  const limiter = (name: keyof AttemptLimits) =>
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
  const limiters = { account: limiter('account'), address: limiter('address'), register: limiter('register') };
  const each = async (counters: Counters, act: (name: keyof AttemptLimits, key: string) => Promise<unknown>) => {
    for (const name of ['account', 'address', 'register'] as const) {
      const key = counters[name];
      if (key !== undefined) await act(name, key.toLowerCase());
    }
  };
  return {
    begin: (counters) =>
      each(counters, async (name, key) => {
        await limiters[name].consume(key).catch((refused: unknown) => {
          if (!(refused instanceof RateLimiterRes)) throw refused;
          const retryAfterSeconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
          throw new ServiceError('too_many', `Too many attempts: try again in ${retryAfterSeconds} s`, {
            retryAfterSeconds,
          });
        });
      }),
    succeed: (counters) =>
      each(counters, (name, key) => (name === 'account' ? limiters[name].delete(key) : limiters[name].reward(key))),
  };
}
