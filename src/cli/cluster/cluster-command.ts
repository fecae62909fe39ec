import { setTimeout as sleep } from 'node:timers/promises';
import { Flags, type Interfaces } from '@oclif/core';
import type { ServiceControl } from '../../aws/ecs-service.js';
import type { Api } from '../../client/api.js';
import type { ClusterStatus } from '../../contract/admin.js';
import { SetupError } from '../../contract/errors.js';
import { ClientCommand } from '../command/client-command.js';
import { runStep } from '../output/steps.js';
import { followRollout } from './follow-rollout.js';
import type { ExpectedChange } from './rollout.js';

type ClusterFlags = Interfaces.InferredFlags<typeof ClusterCommand.baseFlags>;

const pollIntervalMs = 3_000;

/** Controls the ECS service, through the API or directly through AWS. */
export abstract class ClusterCommand extends ClientCommand {
  static override baseFlags = {
    ...ClientCommand.baseFlags,
    direct: Flags.boolean({ description: 'Call AWS directly instead of the API' }),
    cluster: Flags.string({ description: 'Name of the ECS cluster, with --direct', env: 'ECS_CLUSTER_NAME' }),
    service: Flags.string({ description: 'Name of the ECS service, with --direct', env: 'ECS_SERVICE_NAME' }),
    watch: Flags.boolean({ description: 'Follow the rollout until stable; exit with 1 when the rollout fails' }),
    timeout: Flags.integer({ description: 'Minutes to wait with --watch', default: 30, min: 1, max: 24 * 60 }),
  };

  protected async getControl(flags: ClusterFlags): Promise<ServiceControl> {
    if (!flags.direct) return controlThroughApi(await this.connect(flags));
    const { cluster, service } = flags;
    if (!cluster || !service)
      throw new SetupError('The ECS cluster and service are not set', {
        hint: 'With --direct, give --cluster and --service, or set ECS_CLUSTER_NAME and ECS_SERVICE_NAME.',
      });
    const { EcsService } = await import('../../aws/ecs-service.js');
    const { createAws } = await import('../../aws/clients.js');
    return new EcsService(createAws(), { cluster, service });
  }

  /** With `--watch`, reports the rollout on stderr until stable and returns the final status. */
  protected async watchRollout(
    control: ServiceControl,
    flags: ClusterFlags,
    expected?: ExpectedChange,
  ): Promise<ClusterStatus | undefined> {
    if (!flags.watch) return undefined;
    const status = await runStep(
      'Follow the rollout',
      (report) =>
        followRollout(control, {
          expected,
          pollIntervalMs,
          timeoutMs: flags.timeout * 60_000,
          report,
          sleep: (ms) => sleep(ms),
          now: Date.now,
        }),
      { keepLines: true },
    );
    this.report('The service is stable.');
    return status;
  }
}

const controlThroughApi = (api: Api): ServiceControl => ({
  status: () => api.clusterStatus(),
  scale: (desiredCount) => api.scaleCluster(desiredCount),
  redeploy: () => api.redeployCluster(),
});
