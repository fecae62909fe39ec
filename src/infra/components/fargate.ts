import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2';
import {
  type ContainerDefinitionOptions,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import {
  ApplicationProtocol,
  type ApplicationTargetGroup,
  ListenerCondition,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { AutoScaling } from '../../deployment/load.js';
import { acknowledge } from '../nag.js';
import type { Networking } from './networking.js';

export interface TaskOptions extends Omit<ContainerDefinitionOptions, 'logging' | 'containerName'> {
  family: string;
  cpu: number;
  memoryLimitMiB: number;
}

/** A task definition for Fargate with one container, named `main`, whose log is kept for a month. */
export function fargateTask(scope: Construct, id: string, options: TaskOptions): FargateTaskDefinition {
  const { family, cpu, memoryLimitMiB, ...container } = options;
  const definition = new FargateTaskDefinition(scope, id, {
    family,
    cpu,
    memoryLimitMiB,
    runtimePlatform: { cpuArchitecture: CpuArchitecture.X86_64, operatingSystemFamily: OperatingSystemFamily.LINUX },
  });
  const logGroup = new LogGroup(scope, `${id}Logs`, {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  definition.addContainer('main', {
    ...container,
    // The size of the task is the container's: stand-ins of ECS want it said twice.
    memoryLimitMiB,
    logging: LogDrivers.awsLogs({ logGroup, streamPrefix: family }),
  });
  acknowledge(definition, 'Nothing secret: secrets are named by ARN, or given by ECS.', 'ECS2');
  acknowledge(
    definition.obtainExecutionRole(),
    'ecr:GetAuthorizationToken, by which an image is pulled, knows no resource.',
    'IAM5[Resource::*]',
  );
  return definition;
}

export interface ServiceOptions {
  networking: Networking;
  definition: FargateTaskDefinition;
  port: number;
  domainName: string;
  /** Of the rule that matches the host; each service of the load balancer has its own. */
  priority: number;
  healthPath: string;
  /** How long a container may start before its health counts. */
  startSeconds: number;
  autoScaling: AutoScaling;
}

export interface BalancedService {
  service: FargateService;
  group: SecurityGroup;
  targets: ApplicationTargetGroup;
}

/** Runs a task behind the shared load balancer under a name of its own, and scales it by CPU and memory. */
export function balancedService(scope: Construct, options: ServiceOptions): BalancedService {
  const { networking, definition, port, autoScaling } = options;
  const group = new SecurityGroup(scope, 'Group', {
    vpc: networking.vpc,
    description: `${options.domainName}: from the load balancer`,
  });
  const service = new FargateService(scope, 'Service', {
    cluster: networking.cluster,
    taskDefinition: definition,
    securityGroups: [group],
    vpcSubnets: { subnetType: SubnetType.PUBLIC },
    // There is no NAT: images and AWS itself are reached over the internet.
    assignPublicIp: true,
    // A number in the template would undo at each deployment what scaling has done; 0 waits for data, or for a go.
    desiredCount: autoScaling.enabled && autoScaling.minCapacity > 0 ? undefined : autoScaling.minCapacity,
    minHealthyPercent: 100,
    maxHealthyPercent: 200,
    circuitBreaker: { rollback: true },
    healthCheckGracePeriod: Duration.seconds(options.startSeconds),
  });
  const targets = networking.listener.addTargets(`${scope.node.id}Targets`, {
    protocol: ApplicationProtocol.HTTP,
    port,
    priority: options.priority,
    conditions: [ListenerCondition.hostHeaders([options.domainName])],
    targets: [service.loadBalancerTarget({ containerName: 'main', containerPort: port })],
    deregistrationDelay: Duration.seconds(30),
    healthCheck: {
      path: options.healthPath,
      interval: Duration.seconds(15),
      timeout: Duration.seconds(5),
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 4,
    },
  });
  if (autoScaling.enabled) {
    const scaling = service.autoScaleTaskCount({
      minCapacity: autoScaling.minCapacity,
      maxCapacity: autoScaling.maxCapacity,
    });
    const cooldowns = {
      scaleInCooldown: Duration.seconds(autoScaling.scaleInCooldown),
      scaleOutCooldown: Duration.seconds(autoScaling.scaleOutCooldown),
    };
    scaling.scaleOnCpuUtilization('Cpu', {
      targetUtilizationPercent: autoScaling.targetCpuUtilization,
      ...cooldowns,
    });
    scaling.scaleOnMemoryUtilization('Memory', {
      targetUtilizationPercent: autoScaling.targetMemoryUtilization,
      ...cooldowns,
    });
  }
  return { service, group, targets };
}
