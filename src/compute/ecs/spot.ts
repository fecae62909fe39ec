import type { RunTaskCommandInput } from '@aws-sdk/client-ecs';
import type { Logger } from 'pino';
import { AwsError } from '../../aws/errors.js';
import type { LaunchRequest, LaunchResult } from '../provider.js';

export type TaskLaunch = Pick<RunTaskCommandInput, 'count' | 'clientToken' | 'launchType' | 'capacityProviderStrategy'>;
type RunTask = (launch: TaskLaunch) => Promise<LaunchResult>;

/** Launches on FARGATE_SPOT first, and on FARGATE for lack of capacity. */
export class SpotLauncher {
  private readonly groupsWithoutSpot = new Set<string>();

  constructor(private readonly log: Logger) {}

  /** Repeated launches start nothing twice: the launch on demand has a second client token, for example `token-fargate`. */
  async launch({ group, count, clientToken }: LaunchRequest, runTask: RunTask): Promise<LaunchResult> {
    const onSpot = await launchOnSpot({ count, clientToken }, runTask);
    if (onSpot.failures.length === 0) {
      if (this.groupsWithoutSpot.delete(group)) this.log.info({ group }, 'Spot has capacity again');
      return onSpot;
    }
    if (!onSpot.failures.every(({ reason }) => lacksCapacity(reason))) return onSpot;
    if (!this.groupsWithoutSpot.has(group)) this.log.warn({ group }, 'Spot has no capacity; launching on demand');
    this.groupsWithoutSpot.add(group);
    const launch = { count: count - onSpot.started.length, clientToken: `${clientToken}-fargate` };
    const onDemand = await runTask({ ...launch, launchType: 'FARGATE' });
    return { started: [...onSpot.started, ...onDemand.started], failures: onDemand.failures };
  }
}

/** Returns a refusal for lack of capacity as a failure, because ECS reports the lack in either way. */
async function launchOnSpot(launch: TaskLaunch, runTask: RunTask): Promise<LaunchResult> {
  try {
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];
    return await runTask({ ...launch, capacityProviderStrategy });
  } catch (error) {
    if (!(error instanceof AwsError) || !lacksCapacity(error.message)) throw error;
    return { started: [], failures: [{ reason: error.message }] };
  }
}

/** Returns true for `RESOURCE:FARGATE`, `Capacity is unavailable at this time` or an unknown capacity provider. */
const lacksCapacity = (reason: string) => /capacity|RESOURCE:/i.test(reason);
