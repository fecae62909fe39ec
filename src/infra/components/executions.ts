import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  type ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Deployment } from '../../config/deployment.js';
import { containerImage } from '../images.js';
import { acknowledge, allow } from '../nag.js';
import type { Networking } from './networking.js';

export interface ExecutionsProps {
  stackName: string;
  config: NonNullable<Deployment['executions']>;
  networking: Networking;
  program: ContainerImage;
}

/** What ad hoc commands run in: the task definition of the default image, its log, its way out. */
export class Executions extends Construct {
  readonly logGroup: LogGroup;
  /** How the API finds all this. */
  readonly environment: Record<string, string>;
  private readonly definition: FargateTaskDefinition;
  private readonly family: string;
  private readonly networking: Networking;

  constructor(scope: Construct, id: string, props: ExecutionsProps) {
    super(scope, id);
    const { config, networking } = props;
    this.networking = networking;
    this.family = `${props.stackName}-execution`;
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.definition = new FargateTaskDefinition(this, 'Task', {
      family: this.family,
      cpu: config.cpu,
      memoryLimitMiB: config.memory,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.X86_64, operatingSystemFamily: OperatingSystemFamily.LINUX },
    });
    this.definition.addContainer('main', {
      image: containerImage(this, 'Image', config.defaultImage, props.program),
      memoryLimitMiB: config.memory,
      logging: LogDrivers.awsLogs({ logGroup: this.logGroup, streamPrefix: 'execution' }),
      stopTimeout: Duration.seconds(30),
    });
    acknowledge(
      this.definition.obtainExecutionRole(),
      'ecr:GetAuthorizationToken, by which an image is pulled, knows no resource.',
      'IAM5[Resource::*]',
    );
    const group = new SecurityGroup(this, 'Group', {
      vpc: networking.vpc,
      description: 'Executions: nothing comes in',
    });
    this.environment = {
      EXECUTION_CLUSTER: networking.cluster.clusterArn,
      EXECUTION_TASK_DEF: this.definition.taskDefinitionArn,
      EXECUTION_SECURITY_GROUP: group.securityGroupId,
      EXECUTION_SUBNETS: networking.vpc.publicSubnets.map(({ subnetId }) => subnetId).join(','),
      EXECUTION_LOG_GROUP: this.logGroup.logGroupName,
    };
  }

  /** For the API. */
  allowStarting(role: IRole): void {
    const { account, region } = Stack.of(this);
    allow(role, {
      actions: ['ecs:RunTask'],
      resources: [`arn:aws:ecs:${region}:${account}:task-definition/${this.family}:*`],
      conditions: { ArnEquals: { 'ecs:cluster': this.networking.cluster.clusterArn } },
      why: 'Any revision of this family.',
    });
    allow(role, {
      actions: ['iam:PassRole'],
      resources: [this.definition.taskRole.roleArn, this.definition.obtainExecutionRole().roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    });
  }

  /** To see whether executions still run, and to end them: also for the event processor, which reconciles. */
  allowEnding(role: IRole): void {
    const { account, region } = Stack.of(this);
    const { clusterArn, clusterName } = this.networking.cluster;
    allow(role, {
      actions: ['ecs:DescribeTasks', 'ecs:StopTask'],
      resources: [`arn:aws:ecs:${region}:${account}:task/${clusterName}/*`],
      conditions: { ArnEquals: { 'ecs:cluster': clusterArn } },
      why: "A task's id is not known before it runs.",
    });
  }
}
