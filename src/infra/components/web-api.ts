import { Duration } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import * as route53Targets from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';
import { createBalancedService, createFargateTask, toHealthCheck } from './fargate.js';
import type { Networking } from './networking.js';

export interface WebApiProps {
  stackName: string;
  config: Deployment['webAPI'];
  size: NonNullable<Deployment['webAPI']['mode']['ecs']>;
  domainName: string;
  environment: Record<string, string>;
  networking: Networking;
  program: ecs.ContainerImage;
}

/** Runs `reefguide serve` on Fargate, behind the load balancer. */
export class WebApi extends Construct {
  readonly role: iam.IRole;
  readonly group: ec2.SecurityGroup;
  readonly targets: elb.ApplicationTargetGroup;
  /** Target of the DNS record. */
  readonly recordTarget: route53.IAliasRecordTarget;

  constructor(scope: Construct, id: string, props: WebApiProps) {
    super(scope, id);
    const { port } = props.config;
    const definition = createFargateTask(this, 'Task', {
      family: `${props.stackName}-web-api`,
      cpu: props.size.cpu,
      memoryLimitMiB: props.size.memory,
      image: props.program,
      command: ['serve', '--port', String(port)],
      environment: props.environment,
      portMappings: [{ containerPort: port }],
      healthCheck: toHealthCheck(`http://127.0.0.1:${port}/api/ready`, 4, 120),
      // Leaves time for open requests, which end within 10 s.
      stopTimeout: Duration.seconds(30),
    });
    const { group, targets } = createBalancedService(this, {
      networking: props.networking,
      definition,
      port,
      domainName: props.domainName,
      priority: 10,
      healthPath: '/api/ready',
      startSeconds: 120,
      autoScaling: props.size.autoScaling,
    });
    this.role = definition.taskRole;
    this.group = group;
    this.targets = targets;
    this.recordTarget = new route53Targets.LoadBalancerTarget(props.networking.balancer);
  }
}
