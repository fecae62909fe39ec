import { setTimeout as sleep } from 'node:timers/promises';
import { Flags } from '@oclif/core';
import type { ServiceControl } from '../../aws/ecs-service.js';
import type { Api } from '../../client/api.js';
import type { ClusterStatus } from '../../contract/admin.js';
import { SetupError } from '../../contract/errors.js';
import { ClientCommand } from '../command/base-command.js';
import type { Expected } from './rollout.js';

interface ClusterFlags {
  api?: string | undefined;
  direct: boolean;
  cluster?: string | undefined;
  service?: string | undefined;
  watch: boolean;
  timeout: number;
}

/** What the commands on the ECS service share: whom they talk to, and following a rollout. */
export abstract class ClusterCommand extends ClientCommand {
  static override baseFlags = {
    ...ClientCommand.baseFlags,
    direct: Flags.boolean({ description: 'Talk to AWS itself, not through the API' }),
    cluster: Flags.string({ description: 'With --direct: the ECS cluster', env: 'ECS_CLUSTER_NAME' }),
    service: Flags.string({ description: 'With --direct: the ECS service', env: 'ECS_SERVICE_NAME' }),
    watch: Flags.boolean({ description: 'Follow the rollout until it is stable; exits with 1 when it fails' }),
    timeout: Flags.integer({ description: 'Minutes that --watch waits', default: 30, min: 1, max: 24 * 60 }),
  };

  protected async control(flags: ClusterFlags): Promise<ServiceControl> {
    if (!flags.direct) return throughApi(await this.connect(flags));
    const { cluster, service } = flags;
    if (!cluster || !service) {
      throw new SetupError('--direct needs to know the ECS cluster and service', {
        hint: 'Say --cluster and --service, or set ECS_CLUSTER_NAME and ECS_SERVICE_NAME.',
      });
    }
    const [{ createEcsService }, { createAws }] = await Promise.all([
      import('../../aws/ecs-service.js'),
      import('../../aws/clients.js'),
    ]);
    return createEcsService(createAws(), { cluster, service });
  }

  /** With --watch: tells what happens on stderr until the rollout has ended. */
  protected async follow(
    control: ServiceControl,
    flags: ClusterFlags,
    expected?: Expected,
  ): Promise<ClusterStatus | undefined> {
    if (!flags.watch) return undefined;
    const { followRollout } = await import('./rollout.js');
    const status = await followRollout(control, {
      expected,
      everyMs: 3_000,
      withinMs: flags.timeout * 60_000,
      tell: (line) => this.tell(line),
      sleep: (ms) => sleep(ms),
      now: Date.now,
    });
    this.tell('The service is stable.');
    return status;
  }
}

const throughApi = (api: Api): ServiceControl => ({
  status: () => api.clusterStatus(),
  scale: (desiredCount) => api.scaleCluster(desiredCount),
  redeploy: () => api.redeployCluster(),
});
