import { ApiError } from '../../client/api-error.js';
import type { GroupReport } from '../../contract/capacity.js';
import type { ManagerApi } from './lease.js';

/** Maximum time between reports: an older report means a dead manager. */
const reportEveryMs = 10_000;

/** Sends reports when something changed, and every ten seconds. */
export class Reporter {
  private lastReport = '';
  private lastSentAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly api: Pick<ManagerApi, 'reportCapacity'>,
    private readonly holder: string,
    private readonly now: () => number,
  ) {}

  async report(groups: GroupReport[], lastError: string | null): Promise<void> {
    const report = JSON.stringify(groups);
    if (report === this.lastReport && this.now() - this.lastSentAtMs < reportEveryMs) return;
    await this.api.reportCapacity(this.holder, groups, lastError).catch((error: unknown) => {
      // Legacy servers take no reports.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
    this.lastReport = report;
    this.lastSentAtMs = this.now();
  }
}
