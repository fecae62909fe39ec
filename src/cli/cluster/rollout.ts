import type { ServiceControl } from '../../aws/ecs-service.js';
import type { ClusterStatus } from '../../contract/admin.js';
import { SetupError } from '../../contract/errors.js';

/** What a rollout is waited for: ECS may show the state before the change for some seconds. */
export interface Expected {
  deploymentId?: string | null;
  desiredCount?: number;
}

/** Where a rollout stands: stable when one deployment is left, with all of its tasks running. */
export function rolloutOf(status: ClusterStatus, expected: Expected = {}): 'stable' | 'failed' | 'in progress' {
  const { deployments, desiredCount } = status;
  const asked = askedFor(status, expected);
  if (asked.some(({ rolloutState }) => rolloutState === 'FAILED')) return 'failed';
  if (asked.length === 0 || (expected.desiredCount ?? desiredCount) !== desiredCount) return 'in progress';
  const [only] = deployments;
  const settled =
    deployments.length === 1 &&
    only !== undefined &&
    only.runningCount === only.desiredCount &&
    only.pendingCount === 0 &&
    (only.rolloutState ?? 'COMPLETED') === 'COMPLETED';
  return settled && status.runningCount === desiredCount ? 'stable' : 'in progress';
}

/** The deployment that is waited for, or all when it can be any. */
const askedFor = ({ deployments }: ClusterStatus, { deploymentId }: Expected) =>
  deploymentId ? deployments.filter(({ id }) => id === deploymentId) : deployments;

/** The lines of a status that a person reads, the deployments first. */
export function statusLines({ deployments }: ClusterStatus): string[] {
  return deployments.map(({ status, taskDefinition, rolloutState, rolloutStateReason, ...counts }) => {
    const name = taskDefinition.replace(/^.*task-definition\//, '');
    const { runningCount, desiredCount, pendingCount, failedTasks } = counts;
    const state = [rolloutState, rolloutStateReason].filter(Boolean).join(': ');
    return `${status} ${name}: ${runningCount} of ${desiredCount} running, ${pendingCount} pending, ${failedTasks} failed${state ? `, ${state}` : ''}`;
  });
}

export interface FollowOptions {
  expected?: Expected;
  everyMs: number;
  withinMs: number;
  tell(line: string): void;
  sleep(ms: number): Promise<void>;
  now(): number;
}

/** Follows a rollout to its end, telling what changed. Throws a SetupError when it fails or takes too long. */
export async function followRollout(
  control: Pick<ServiceControl, 'status'>,
  { expected = {}, everyMs, withinMs, tell, sleep, now }: FollowOptions,
): Promise<ClusterStatus> {
  const until = now() + withinMs;
  const told = new Set<string>();
  let before = '';
  let seen = false;
  for (let first = true; ; first = false) {
    const status = await control.status();
    const lines = statusLines(status);
    if (lines.join() !== before) for (const line of lines) tell(line);
    before = lines.join();
    for (const { createdAt, message } of [...status.events].reverse()) {
      const event = `${createdAt} ${message}`;
      // Those of before are history.
      if (!first && !told.has(event)) tell(`  ${message}`);
      told.add(event);
    }
    const state = rolloutOf(status, expected);
    if (state === 'stable') return status;
    if (state === 'failed') {
      const reason = askedFor(status, expected).find(
        ({ rolloutState }) => rolloutState === 'FAILED',
      )?.rolloutStateReason;
      throw new SetupError(`The rollout failed${reason ? `: ${reason}` : ''}`, {
        hint: 'The events above and the log of the stopped tasks say why.',
      });
    }
    const isThere = askedFor(status, expected).length > 0;
    if (seen && !isThere && status.deployments.length > 0) {
      throw new SetupError('Another deployment has replaced this one', {
        hint: 'Follow that one with `reefguide cluster status --watch`.',
      });
    }
    seen ||= isThere;
    if (now() >= until) {
      throw new SetupError('The rollout is not stable yet', {
        hint: 'It goes on by itself: look again with `reefguide cluster status --watch`.',
      });
    }
    await sleep(everyMs);
  }
}
