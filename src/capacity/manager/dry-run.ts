import type { Compute } from '../../compute/provider.js';
import type { GroupReport } from '../../contract/capacity.js';
import type { ManagerApi } from './lease.js';

/** Returns the API without effects: takes no lease and sends no report. */
export const toReadOnlyApi = (api: ManagerApi): ManagerApi => ({
  demand: (...args) => api.demand(...args),
  poll: (...args) => api.poll(...args),
  takeLease: async () => ({ held: true, expiresAt: '' }),
  releaseLease: async () => {},
  reportCapacity: async () => ({ recorded: 0 }),
});

/** Returns the provider without launches: lists existing tasks alone. */
export const toDryRunCompute = (compute: Compute): Compute => ({
  provider: compute.provider,
  listsAtOnce: compute.listsAtOnce,
  list: (groups) => compute.list(groups),
  launch: async () => ({ started: [], failures: [] }),
  close: () => compute.close(),
});

const pluralize = (count: number, singular: string, plural: string) => `${count} ${count === 1 ? singular : plural}`;

/**
 * Describes the decision about a group, for example `a: 12 jobs wait, 1 runs; 0 workers exist, 13 desired`; a dry run adds
 * what an acting manager would do, for example `: would launch 13`.
 */
export function describeDecision(report: GroupReport, dryRun: boolean): string {
  const { group, pending, inProgress, running, desired } = report;
  const jobs = `${pluralize(pending, 'job waits', 'jobs wait')}, ${pluralize(inProgress, 'runs', 'run')}`;
  const workers = `${pluralize(running, 'worker exists', 'workers exist')}, ${desired} desired`;
  const missing = Math.max(0, desired - running);
  return `${group}: ${jobs}; ${workers}${dryRun ? `: would launch ${missing || 'nothing'}` : ''}`;
}
