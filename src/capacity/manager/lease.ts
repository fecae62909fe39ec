import type { Api } from '../../client/api.js';
import { ApiError } from '../../client/api-error.js';

export type ManagerApi = Pick<Api, 'demand' | 'poll' | 'takeLease' | 'releaseLease' | 'reportCapacity'>;

export const leaseSeconds = 30;
export const renewEverySeconds = 10;
/** Time between the last launch under a lease and the earliest expiry of the lease. */
const marginMs = 5_000;

export type LeaseAnswer = { acquired: true } | { acquired: false; holder: string };

/** Lease for one acting manager; further managers stand by. */
export class Lease {
  private isHeld = false;
  private renewAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly api: Pick<ManagerApi, 'takeLease' | 'releaseLease'>,
    private readonly holder: string,
    private readonly now: () => number,
  ) {}

  /**
   * Takes the lease, and renews the lease every 10 s. A legacy server without leases (404) has one manager alone, so the
   * lease counts as acquired. Throws when the API does not answer and the lease may have expired.
   */
  async acquire(): Promise<LeaseAnswer> {
    if (this.isHeld && this.now() < this.renewAtMs) return { acquired: true };
    const requestedAtMs = this.now();
    try {
      await this.api.takeLease(this.holder, leaseSeconds);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 409) {
        this.isHeld = false;
        return { acquired: false, holder: String(error.body.holder ?? 'another manager') };
      }
      if (error.status !== 404) {
        if (this.isStillValid(requestedAtMs)) return { acquired: true };
        this.isHeld = false;
        throw error;
      }
    }
    this.isHeld = true;
    this.renewAtMs = requestedAtMs + renewEverySeconds * 1000;
    return { acquired: true };
  }

  /** Returns true until shortly before the expiry, counted from the request, because the server started to count later. */
  private isStillValid(nowMs: number): boolean {
    const expiresAtMs = this.renewAtMs + (leaseSeconds - renewEverySeconds) * 1000;
    return this.isHeld && nowMs < expiresAtMs - marginMs;
  }

  async release(): Promise<void> {
    if (!this.isHeld) return;
    this.isHeld = false;
    await this.api.releaseLease(this.holder);
  }
}
