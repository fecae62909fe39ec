import type { Compute } from '../../compute/provider.js';
import type { GroupReport } from '../../contract/capacity.js';
import type { ManagerApi } from './manager.js';

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

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** What was decided about a group, and why; of a dry run also what a manager that acts would do. */
export function describeDecision(report: GroupReport, dryRun: boolean): string {
  const { group, pending, inProgress, running, desired } = report;
  const jobs = `${counted(pending, 'job waits', 'jobs wait')}, ${counted(inProgress, 'runs', 'run')}`;
  const workers = `${counted(running, 'worker exists', 'workers exist')}, ${desired} desired`;
  const missing = Math.max(0, desired - running);
  return `${group}: ${jobs}; ${workers}${dryRun ? `: would launch ${missing || 'nothing'}` : ''}`;
}
