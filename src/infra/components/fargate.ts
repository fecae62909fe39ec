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
import type { AutoScaling } from '../../deployment/schema.js';
import { acknowledge } from '../nag.js';
import type { Networking } from './networking.js';

export interface TaskOptions extends Omit<ContainerDefinitionOptions, 'logging' | 'containerName'> {
  family: string;
  cpu: number;
  memoryLimitMiB: number;
}

/** Creates a task definition for Fargate with one container, `main`, whose log expires after a month. */
export function createFargateTask(scope: Construct, id: string, options: TaskOptions): FargateTaskDefinition {
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
    // Repeats the size of the task, because emulators of ECS require a size for each container.
    memoryLimitMiB,
    logging: LogDrivers.awsLogs({ logGroup, streamPrefix: family }),
  });
  acknowledge(
    definition,
    'Variables contain nothing secret: they name secrets by ARN, or ECS injects the value.',
    'ECS2',
  );
  acknowledge(definition.obtainExecutionRole(), 'ecr:GetAuthorizationToken knows no resource.', 'IAM5[Resource::*]');
  return definition;
}

export interface ServiceOptions {
  networking: Networking;
  definition: FargateTaskDefinition;
  port: number;
  domainName: string;
  /** Priority of the listener rule that matches the domain name; differs between services of the load balancer. */
  priority: number;
  healthPath: string;
  /** Seconds that a container may take to start before failed health checks count. */
  startSeconds: number;
  autoScaling: AutoScaling;
}

export interface BalancedService {
  service: FargateService;
  group: SecurityGroup;
  targets: ApplicationTargetGroup;
}

/** Creates a service behind the shared load balancer with a domain name of its own, and scales by CPU and memory. */
export function createBalancedService(scope: Construct, options: ServiceOptions): BalancedService {
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
    // Needs a public address to reach ECR and AWS, because the subnets have no NAT.
    assignPublicIp: true,
    // Leaves the number to auto scaling, because a deployment would reset it. With a minimum of 0 the service waits at 0.
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
