import type { Deployment, Service } from '@aws-sdk/client-ecs';
import type { ClusterStatus, Redeployed, Scaled } from '../contract/admin.js';
import { SetupError } from '../contract/errors.js';
import type { Aws } from './clients.js';
import { callAws } from './errors.js';

/** A long-running service: how it is, how many tasks it runs, and a new start of all of them. */
export interface ServiceControl {
  status(): Promise<ClusterStatus>;
  scale(desiredCount: number): Promise<Scaled>;
  /** A new deployment of what is there: at least half of the tasks stay healthy, at most twice as many run. */
  redeploy(): Promise<Redeployed>;
}

const shownEvents = 5;

/** An ECS service. Every failure is a SetupError that names action, resource and remedy. */
export function createEcsService(
  aws: Pick<Aws, 'ecs'>,
  { cluster, service }: { cluster: string; service: string },
): ServiceControl {
  const resource = `service ${service} of cluster ${cluster}`;

  const describe = async (): Promise<Service> => {
    const { DescribeServicesCommand } = await import('@aws-sdk/client-ecs');
    const { services = [] } = await callAws({ action: 'ecs:DescribeServices', resource }, async () =>
      (await aws.ecs()).send(new DescribeServicesCommand({ cluster, services: [service] })),
    );
    const [found] = services;
    if (!found || found.status === 'INACTIVE') {
      throw new SetupError(`There is no ${resource}`, {
        hint: 'Check ECS_CLUSTER_NAME, ECS_SERVICE_NAME and AWS_REGION.',
      });
    }
    return found;
  };

  const update = async (changes: {
    desiredCount?: number;
    forceNewDeployment?: boolean;
    deploymentConfiguration?: { minimumHealthyPercent: number; maximumPercent: number };
  }): Promise<Service | undefined> => {
    const { UpdateServiceCommand } = await import('@aws-sdk/client-ecs');
    const answer = await callAws({ action: 'ecs:UpdateService', resource }, async () =>
      (await aws.ecs()).send(new UpdateServiceCommand({ cluster, service, ...changes })),
    );
    return answer.service;
  };

  return {
    status: async () => statusOf(await describe()),
    async scale(desiredCount) {
      const { desiredCount: previousDesiredCount = 0 } = await describe();
      await update({ desiredCount });
      return { previousDesiredCount, desiredCount };
    },
    async redeploy() {
      const after = await update({
        forceNewDeployment: true,
        deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 200 },
      });
      const primary = after?.deployments?.find(({ status }) => status === 'PRIMARY');
      return { deploymentId: primary?.id ?? null };
    },
  };
}

function statusOf({ deployments = [], events = [], ...service }: Service): ClusterStatus {
  return {
    runningCount: service.runningCount ?? 0,
    pendingCount: service.pendingCount ?? 0,
    desiredCount: service.desiredCount ?? 0,
    serviceStatus: service.status ?? 'UNKNOWN',
    deployments: deployments.map(deploymentOf),
    events: events
      .slice(0, shownEvents)
      .map(({ createdAt, message = '' }) => ({ createdAt: createdAt?.toISOString() ?? null, message })),
  };
}

const deploymentOf = (deployment: Deployment) => ({
  id: deployment.id ?? null,
  status: deployment.status ?? 'UNKNOWN',
  taskDefinition: deployment.taskDefinition ?? '',
  desiredCount: deployment.desiredCount ?? 0,
  pendingCount: deployment.pendingCount ?? 0,
  runningCount: deployment.runningCount ?? 0,
  failedTasks: deployment.failedTasks ?? 0,
  rolloutState: deployment.rolloutState ?? null,
  rolloutStateReason: deployment.rolloutStateReason ?? null,
});
