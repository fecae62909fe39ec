import { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';
import { parseEcrImage, programImage } from '../image-names.js';
import { allow } from '../nag.js';
import { createLogGroup } from './log-group.js';
import type { Networking } from './networking.js';

export interface ExecutionsProps {
  stackName: string;
  config: NonNullable<Deployment['executions']>;
  networking: Networking;
  /** Address of the image of this repository. */
  programUri: string;
}

/** Log, security group and roles of ad hoc commands. The API creates a task definition for each registered image. */
export class Executions extends Construct {
  readonly logGroup: logs.LogGroup;
  /** Variables of the API and the event processor. */
  readonly environment: Record<string, string>;
  private readonly taskRole: iam.Role;
  private readonly executionRole: iam.Role;
  private readonly familyPrefix: string;
  private readonly networking: Networking;

  constructor(scope: Construct, id: string, props: ExecutionsProps) {
    super(scope, id);
    const { config, networking } = props;
    this.networking = networking;
    this.familyPrefix = `${props.stackName}-execution`;
    this.logGroup = createLogGroup(this, 'Logs', logs.RetentionDays.THREE_MONTHS);
    const assumedBy = new iam.ServicePrincipal('ecs-tasks.amazonaws.com');
    this.taskRole = new iam.Role(this, 'TaskRole', {
      assumedBy,
      description: 'Commands of executions: allowed nothing until somebody gives them something',
    });
    this.executionRole = new iam.Role(this, 'ExecutionRole', {
      assumedBy,
      description: 'Pulls the images of executions and writes their log',
    });
    const image = config.defaultImage === programImage ? props.programUri : config.defaultImage;
    this.allowImages(image, config.gitImage);
    allow(this.executionRole, {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [this.logGroup.logGroupArn],
    });
    const { vpc } = networking;
    const group = new ec2.SecurityGroup(this, 'Group', { vpc, description: 'Executions: nothing comes in' });
    this.environment = {
      EXECUTION_CLUSTER: networking.cluster.clusterArn,
      EXECUTION_SECURITY_GROUP: group.securityGroupId,
      EXECUTION_SUBNETS: vpc.publicSubnets.map(({ subnetId }) => subnetId).join(','),
      EXECUTION_LOG_GROUP: this.logGroup.logGroupName,
      EXECUTION_FAMILY_PREFIX: this.familyPrefix,
      EXECUTION_ROLE_ARN: this.executionRole.roleArn,
      EXECUTION_TASK_ROLE_ARN: this.taskRole.roleArn,
      EXECUTION_IMAGE: image,
      EXECUTION_CPU: String(config.cpu),
      EXECUTION_MEMORY: String(config.memory),
      EXECUTION_GIT_IMAGE: config.gitImage,
    };
  }

  /** Allows a role to create task definitions. The event processor recreates missing ones. */
  allowDefining(role: iam.IRole): void {
    allow(role, {
      actions: ['ecs:RegisterTaskDefinition', 'ecs:ListTaskDefinitions', 'ecs:DeregisterTaskDefinition'],
      resources: ['*'],
      why: 'These actions know no resource. A task definition runs as a role that may be passed, or as none.',
    });
    allow(role, {
      actions: ['iam:PassRole'],
      resources: [this.taskRole.roleArn, this.executionRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    });
  }

  /** Allows the API to run the task definitions of images. */
  allowStarting(role: iam.IRole): void {
    const { account, region } = Stack.of(this);
    allow(role, {
      actions: ['ecs:RunTask'],
      resources: [`arn:aws:ecs:${region}:${account}:task-definition/${this.familyPrefix}-*`],
      conditions: { ArnEquals: { 'ecs:cluster': this.networking.cluster.clusterArn } },
      why: 'Each registered image has a family of its own.',
    });
  }

  /** Allows a role to describe and stop executions and to read their logs. */
  allowEnding(role: iam.IRole): void {
    const { account, region } = Stack.of(this);
    const { clusterArn, clusterName } = this.networking.cluster;
    allow(role, {
      actions: ['ecs:DescribeTasks', 'ecs:StopTask'],
      resources: [`arn:aws:ecs:${region}:${account}:task/${clusterName}/*`],
      conditions: { ArnEquals: { 'ecs:cluster': clusterArn } },
      why: 'The id of a task is unknown before the task runs.',
    });
    const why = 'ecs:DescribeTaskDefinition knows no resource.';
    allow(role, { actions: ['ecs:DescribeTaskDefinition'], resources: ['*'], why });
    allow(role, { actions: ['logs:FilterLogEvents'], resources: [this.logGroup.logGroupArn] });
  }

  /** Allows pulling images of this account's registry and the images that the configuration names. */
  private allowImages(...images: string[]): void {
    const { account, region } = Stack.of(this);
    const ecr = images.flatMap((image) => parseEcrImage(image) ?? []);
    const why = 'ecr:GetAuthorizationToken knows no resource.';
    allow(this.executionRole, { actions: ['ecr:GetAuthorizationToken'], resources: ['*'], why });
    allow(this.executionRole, {
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      resources: [
        `arn:aws:ecr:${region}:${account}:repository/*`,
        ...ecr.map((image) => `arn:aws:ecr:${image.region}:${image.account}:repository/${image.repository}`),
      ],
      why: 'Images are registered after the stack has been deployed.',
    });
  }
}
