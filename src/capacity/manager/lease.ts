import { type Api, ApiError } from '../../client/api.js';

export const leaseSeconds = 30;
export const renewEverySeconds = 10;

export interface Lease {
  /** Whether this manager may act now: takes or renews the lease when it is time. Throws when the API does not answer. */
  hold(): Promise<{ held: true } | { held: false; holder: string }>;
  release(): Promise<void>;
}

/** Lets one manager act and the others stand by. A server without leases is an older one: then there is nobody to share with. */
export function createLease(api: Pick<Api, 'takeLease' | 'releaseLease'>, holder: string, now: () => number): Lease {
  let renewAt = Number.NEGATIVE_INFINITY;
  let held = false;
  return {
    async hold() {
      if (held && now() < renewAt) return { held: true };
      const askedAt = now();
      try {
        await api.takeLease(holder, leaseSeconds);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 409) {
          held = false;
          return { held: false, holder: String(error.body.holder ?? 'another manager') };
        }
        if (error.status !== 404) {
          // Ours for certain until it lapses, counted from before we asked.
          if (held && askedAt < renewAt + (leaseSeconds - renewEverySeconds) * 1000 - 5_000) return { held: true };
          held = false;
          throw error;
        }
      }
      held = true;
      renewAt = askedAt + renewEverySeconds * 1000;
      return { held: true };
    },
    async release() {
      if (!held) return;
      held = false;
      await api.releaseLease(holder);
    },
  };
}
