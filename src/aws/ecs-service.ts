import type { Deployment, Service, UpdateServiceCommandInput } from '@aws-sdk/client-ecs';
import type { ClusterStatus, Redeployed, Scaled } from '../contract/admin.js';
import { SetupError } from '../contract/errors.js';
import type { Aws } from './clients.js';
import { callAws } from './errors.js';

export interface ServiceControl {
  status(): Promise<ClusterStatus>;
  scale(desiredCount: number): Promise<Scaled>;
  /** Replaces every task; at least half of the tasks stay healthy, and at most twice as many run. */
  redeploy(): Promise<Redeployed>;
}

const maxEvents = 5;

/** A service of ECS. Each failure is a SetupError with action, resource and remedy. */
export class EcsService implements ServiceControl {
  private readonly resource: string;

  constructor(
    private readonly aws: Pick<Aws, 'ecs'>,
    private readonly name: { cluster: string; service: string },
  ) {
    this.resource = `service ${name.service} of cluster ${name.cluster}`;
  }

  async status(): Promise<ClusterStatus> {
    return toClusterStatus(await this.describe());
  }

  async scale(desiredCount: number): Promise<Scaled> {
    const { desiredCount: previousDesiredCount = 0 } = await this.describe();
    await this.update({ desiredCount });
    return { previousDesiredCount, desiredCount };
  }

  async redeploy(): Promise<Redeployed> {
    const deploymentConfiguration = { minimumHealthyPercent: 50, maximumPercent: 200 };
    const service = await this.update({ forceNewDeployment: true, deploymentConfiguration });
    const primary = service?.deployments?.find(({ status }) => status === 'PRIMARY');
    return { deploymentId: primary?.id ?? null };
  }

  private async describe(): Promise<Service> {
    const { DescribeServicesCommand } = await import('@aws-sdk/client-ecs');
    const { cluster, service: name } = this.name;
    const { services = [] } = await callAws({ action: 'ecs:DescribeServices', resource: this.resource }, async () =>
      (await this.aws.ecs()).send(new DescribeServicesCommand({ cluster, services: [name] })),
    );
    const [service] = services;
    if (service && service.status !== 'INACTIVE') return service;
    const hint = 'Check ECS_CLUSTER_NAME, ECS_SERVICE_NAME and AWS_REGION.';
    throw new SetupError(`There is no ${this.resource}`, { hint });
  }

  private async update(changes: Omit<UpdateServiceCommandInput, 'cluster' | 'service'>): Promise<Service | undefined> {
    const { UpdateServiceCommand } = await import('@aws-sdk/client-ecs');
    const answer = await callAws({ action: 'ecs:UpdateService', resource: this.resource }, async () =>
      (await this.aws.ecs()).send(new UpdateServiceCommand({ ...this.name, ...changes })),
    );
    return answer.service;
  }
}

function toClusterStatus({ deployments = [], events = [], ...service }: Service): ClusterStatus {
  const { runningCount = 0, pendingCount = 0, desiredCount = 0, status: serviceStatus = 'UNKNOWN' } = service;
  return {
    ...{ runningCount, pendingCount, desiredCount, serviceStatus },
    deployments: deployments.map(toDeployment),
    events: events
      .slice(0, maxEvents)
      .map(({ createdAt, message = '' }) => ({ createdAt: createdAt?.toISOString() ?? null, message })),
  };
}

function toDeployment(deployment: Deployment) {
  const { id = null, status = 'UNKNOWN', taskDefinition = '', failedTasks = 0 } = deployment;
  const { desiredCount = 0, pendingCount = 0, runningCount = 0 } = deployment;
  const { rolloutState = null, rolloutStateReason = null } = deployment;
  const counts = { desiredCount, pendingCount, runningCount, failedTasks };
  return { id, status, taskDefinition, ...counts, rolloutState, rolloutStateReason };
}
