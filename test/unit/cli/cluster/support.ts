import type { ClusterStatus } from '../../../../src/contract/admin.js';

type Deployment = ClusterStatus['deployments'][number];

/** Creates a deployment with all of its tasks running. */
export const deployment = (changes: Partial<Deployment> = {}): Deployment => ({
  id: 'new',
  status: 'PRIMARY',
  taskDefinition: 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/api:7',
  desiredCount: 2,
  pendingCount: 0,
  runningCount: 2,
  failedTasks: 0,
  rolloutState: 'COMPLETED',
  rolloutStateReason: null,
  ...changes,
});
/** Creates the status of a service with two tasks. */
export const status = (deployments = [deployment()], changes: Partial<ClusterStatus> = {}): ClusterStatus => ({
  runningCount: 2,
  pendingCount: 0,
  desiredCount: 2,
  serviceStatus: 'ACTIVE',
  deployments,
  events: [],
  ...changes,
});
export const rolling = [
  deployment({ runningCount: 1, pendingCount: 1, rolloutState: 'IN_PROGRESS' }),
  deployment({ id: 'old', status: 'ACTIVE', runningCount: 1 }),
];
export const failed = deployment({ rolloutState: 'FAILED', rolloutStateReason: 'tasks failed to start.' });
