import type { ServiceControl } from '../../aws/ecs-service.js';
import type { ClusterStatus } from '../../contract/admin.js';
import { SetupError } from '../../contract/errors.js';
import type { Report } from '../output/steps.js';
import { type ExpectedChange, formatDeployments, getExpectedDeployments, getRolloutState } from './rollout.js';

export interface FollowOptions {
  expected?: ExpectedChange | undefined;
  pollIntervalMs: number;
  timeoutMs: number;
  report: Report;
  sleep(ms: number): Promise<void>;
  now(): number;
}

/** Follows a rollout until stable, and reports changes. Throws a SetupError when the rollout fails or takes too long. */
export async function followRollout(
  control: Pick<ServiceControl, 'status'>,
  { expected = {}, pollIntervalMs, timeoutMs, report, sleep, now }: FollowOptions,
): Promise<ClusterStatus> {
  const deadline = now() + timeoutMs;
  const reporter = new RolloutReporter(report);
  let hasAppeared = false;
  for (;;) {
    const status = await control.status();
    reporter.show(status);
    const state = getRolloutState(status, expected);
    if (state === 'stable') return status;
    const deployments = getExpectedDeployments(status, expected);
    if (state === 'failed') throw createFailure(deployments);
    if (hasAppeared && deployments.length === 0 && status.deployments.length > 0)
      throw new SetupError('Another deployment has replaced this deployment', {
        hint: 'Follow the new deployment with `reefguide cluster status --watch`.',
      });
    hasAppeared ||= deployments.length > 0;
    if (now() >= deadline)
      throw new SetupError('The rollout is not stable yet', {
        hint: 'The rollout continues: follow it again with `reefguide cluster status --watch`.',
      });
    await sleep(pollIntervalMs);
  }
}

function createFailure(deployments: ClusterStatus['deployments']): SetupError {
  const reason = deployments.find(({ rolloutState }) => rolloutState === 'FAILED')?.rolloutStateReason;
  return new SetupError(`The rollout failed${reason ? `: ${reason}` : ''}`, {
    hint: 'See the events above and the logs of the stopped tasks.',
  });
}

/** Reports deployments when they change, and each event once. Skips events from before the first status. */
class RolloutReporter {
  private shownLines = '';
  private readonly seenEvents = new Set<string>();
  private isFirst = true;

  constructor(private readonly report: Report) {}

  show(status: ClusterStatus): void {
    const lines = formatDeployments(status);
    if (lines.join() !== this.shownLines) for (const line of lines) this.report(line);
    this.shownLines = lines.join();
    for (const { createdAt, message } of [...status.events].reverse()) {
      const event = `${createdAt} ${message}`;
      if (!this.isFirst && !this.seenEvents.has(event)) this.report(`  ${message}`);
      this.seenEvents.add(event);
    }
    this.isFirst = false;
  }
}
