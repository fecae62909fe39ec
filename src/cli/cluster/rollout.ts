import type { ClusterStatus } from '../../contract/admin.js';
import { type ColorStream, colorStatus } from '../output/colors.js';

/** The change that a rollout makes. ECS may show the state before the change for some seconds. */
export interface ExpectedChange {
  deploymentId?: string | null;
  desiredCount?: number;
}

/** Returns the state of a rollout. Stable: one deployment is left, with all of its tasks running. */
export function getRolloutState(
  status: ClusterStatus,
  expected: ExpectedChange = {},
): 'stable' | 'failed' | 'in progress' {
  const { deployments, desiredCount } = status;
  const matching = getExpectedDeployments(status, expected);
  if (matching.some(({ rolloutState }) => rolloutState === 'FAILED')) return 'failed';
  if (matching.length === 0 || (expected.desiredCount ?? desiredCount) !== desiredCount) return 'in progress';
  const [deployment] = deployments;
  const isComplete =
    deployments.length === 1 &&
    deployment !== undefined &&
    deployment.runningCount === deployment.desiredCount &&
    deployment.pendingCount === 0 &&
    (deployment.rolloutState ?? 'COMPLETED') === 'COMPLETED';
  return isComplete && status.runningCount === desiredCount ? 'stable' : 'in progress';
}

/** Returns the expected deployment, or all deployments when any will do. */
export const getExpectedDeployments = ({ deployments }: ClusterStatus, { deploymentId }: ExpectedChange) =>
  deploymentId ? deployments.filter(({ id }) => id === deploymentId) : deployments;

/** Formats a line for each deployment: `PRIMARY api:7: 1 of 2 running, 1 pending, 0 failed, IN_PROGRESS`. */
export function formatDeployments({ deployments }: ClusterStatus, stream: ColorStream = process.stderr): string[] {
  return deployments.map((deployment) => {
    const { status, taskDefinition, rolloutState, rolloutStateReason } = deployment;
    const { runningCount, desiredCount, pendingCount, failedTasks } = deployment;
    const name = taskDefinition.replace(/^.*task-definition\//, '');
    const state = [rolloutState && colorStatus(rolloutState, stream), rolloutStateReason].filter(Boolean).join(': ');
    const counts = `${runningCount} of ${desiredCount} running, ${pendingCount} pending, ${failedTasks} failed`;
    return `${status} ${name}: ${counts}${state ? `, ${state}` : ''}`;
  });
}
