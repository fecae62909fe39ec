import type { Api } from '../../client/api.js';
import type { Compute } from '../../compute/provider.js';
import type { GroupReport } from '../../contract/capacity.js';

/** The API without what changes anything: no lease is taken, no report sent. */
export const readOnlyApi = (api: Api): Api => ({
  ...api,
  takeLease: async () => ({ held: true, expiresAt: '' }),
  releaseLease: async () => {},
  reportCapacity: async () => ({ recorded: 0 }),
});

/** A provider that lists what exists, and launches nothing. */
export const dryRunCompute = (compute: Compute): Compute => ({
  ...compute,
  launch: async () => ({ started: [], failures: [] }),
});

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** What was decided about a group, and why; of a dry run also what a manager that acts would do. */
export function describeDecision(report: GroupReport, dryRun: boolean): string {
  const { group, pending, inProgress, running, desired } = report;
  const jobs = `${counted(pending, 'job waits', 'jobs wait')}, ${counted(inProgress, 'runs', 'run')}`;
  const workers = `${counted(running, 'worker exists', 'workers exist')}, ${desired} desired`;
  const missing = Math.max(0, desired - running);
  return `${group}: ${jobs}; ${workers}${dryRun ? `: would launch ${missing || 'nothing'}` : ''}`;
}
