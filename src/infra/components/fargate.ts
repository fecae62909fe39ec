import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import type { AutoScaling } from '../../deployment/schema.js';
import { acknowledge } from '../nag.js';
import { createLogGroup } from './log-group.js';
import type { Networking } from './networking.js';

export interface TaskOptions extends Omit<ecs.ContainerDefinitionOptions, 'logging' | 'containerName'> {
  family: string;
  cpu: number;
  memoryLimitMiB: number;
}

/** Creates a task definition for Fargate with one container, `main`, whose log expires after a month. */
export function createFargateTask(scope: Construct, id: string, options: TaskOptions): ecs.FargateTaskDefinition {
  const { family, cpu, memoryLimitMiB, ...container } = options;
  const definition = new ecs.FargateTaskDefinition(scope, id, {
    family,
    cpu,
    memoryLimitMiB,
    runtimePlatform: {
      cpuArchitecture: ecs.CpuArchitecture.X86_64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
  });
  const logGroup = createLogGroup(scope, `${id}Logs`);
  definition.addContainer('main', {
    ...container,
    // Repeats the size of the task, because emulators of ECS require a size for each container.
    memoryLimitMiB,
    logging: ecs.LogDrivers.awsLogs({ logGroup, streamPrefix: family }),
  });
  acknowledge(definition, {
    ECS2: 'Variables contain nothing secret: they name secrets by ARN, or ECS injects the value.',
  });
  acknowledge(definition.obtainExecutionRole(), {
    'IAM5[Resource::*]': 'ecr:GetAuthorizationToken knows no resource.',
  });
  return definition;
}

/** Returns a container's health check that fetches `url` with Node.js, because the image of this program has no curl. */
export const toHealthCheck = (url: string, retries: number, startSeconds: number): ecs.HealthCheck => ({
  command: ['CMD', 'node', '-e', `fetch('${url}').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`],
  interval: Duration.seconds(15),
  timeout: Duration.seconds(5),
  retries,
  startPeriod: Duration.seconds(startSeconds),
});

export interface ServiceOptions {
  networking: Networking;
  definition: ecs.FargateTaskDefinition;
  port: number;
  domainName: string;
  /** Priority of the listener rule that matches the domain name; differs between services of the load balancer. */
  priority: number;
  healthPath: string;
  /** Seconds that a container may take to start before failed health checks count. */
  startSeconds: number;
  autoScaling: AutoScaling;
}

/** Creates a service behind the shared load balancer with a domain name of its own, and scales by CPU and memory. */
export function createBalancedService(scope: Construct, options: ServiceOptions) {
  const { networking, definition, port, autoScaling } = options;
  const { vpc } = networking;
  const description = `${options.domainName}: from the load balancer`;
  const group = new ec2.SecurityGroup(scope, 'Group', { vpc, description });
  const service = new ecs.FargateService(scope, 'Service', {
    cluster: networking.cluster,
    taskDefinition: definition,
    securityGroups: [group],
    vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
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
    protocol: elb.ApplicationProtocol.HTTP,
    port,
    priority: options.priority,
    conditions: [elb.ListenerCondition.hostHeaders([options.domainName])],
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
    const { minCapacity, maxCapacity } = autoScaling;
    const scaling = service.autoScaleTaskCount({ minCapacity, maxCapacity });
    const cooldowns = {
      scaleInCooldown: Duration.seconds(autoScaling.scaleInCooldown),
      scaleOutCooldown: Duration.seconds(autoScaling.scaleOutCooldown),
    };
    scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: autoScaling.targetCpuUtilization, ...cooldowns });
    const targetUtilizationPercent = autoScaling.targetMemoryUtilization;
    scaling.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent, ...cooldowns });
  }
  return { service, group, targets };
}
