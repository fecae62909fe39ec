import { Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';
import { type ManagerVariable, toJobTypeEnvironment } from '../manager-variables.js';
import { allow } from '../nag.js';
import { createFargateTask, toHealthCheck } from './fargate.js';
import type { JobSystemProps, WorkerGroup } from './job-system.js';

type SharedProps = Pick<JobSystemProps, 'stackName' | 'region' | 'apiEndpoint' | 'networking' | 'program'>;

export interface CapacityManagerProps extends SharedProps {
  config: Deployment['jobSystem']['capacityManager'];
  sentryDsn: string | undefined;
  groups: readonly WorkerGroup[];
  managerSecret: secretsmanager.ISecret;
}

const port = 3000;

/** Runs `reefguide capacity run` as a service. One task is enough, because the lease lets a second one only stand by. */
export class CapacityManager extends Construct {
  readonly definition: ecs.FargateTaskDefinition;
  readonly service: ecs.FargateService;

  constructor(scope: Construct, id: string, props: CapacityManagerProps) {
    super(scope, id);
    const { config, networking } = props;
    const secrets = {
      API_USERNAME: ecs.Secret.fromSecretsManager(props.managerSecret, 'username'),
      API_PASSWORD: ecs.Secret.fromSecretsManager(props.managerSecret, 'password'),
    } satisfies Partial<Record<ManagerVariable, ecs.Secret>>;
    this.definition = createFargateTask(this, 'Task', {
      family: `${props.stackName}-capacity-manager`,
      cpu: config.cpu,
      memoryLimitMiB: config.memoryLimitMiB,
      image: props.program,
      command: ['capacity', 'run'],
      environment: toEnvironment(props),
      secrets,
      healthCheck: toHealthCheck(`http://127.0.0.1:${port}/health`, 3, 60),
      // Leaves time to stop, which takes up to 5 s.
      stopTimeout: Duration.seconds(10),
    });
    allowLaunching(this.definition.taskRole, props);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: networking.cluster,
      taskDefinition: this.definition,
      securityGroups: [
        new ec2.SecurityGroup(this, 'Group', {
          vpc: networking.vpc,
          description: 'Capacity manager: nothing comes in',
        }),
      ],
      vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
      assignPublicIp: true,
      desiredCount: 1,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
    });
  }
}

function toEnvironment({ networking, ...props }: CapacityManagerProps): Record<string, string> {
  const environment = {
    POLL_INTERVAL_MS: String(props.config.pollIntervalMs),
    API_ENDPOINT: props.apiEndpoint,
    AWS_REGION: props.region,
    VPC_ID: networking.vpc.vpcId,
    PORT: String(port),
    // Answers inside the task alone, because nothing but the health check asks.
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
  } satisfies Record<Exclude<ManagerVariable, 'API_USERNAME' | 'API_PASSWORD' | 'SENTRY_DSN'>, string>;
  const sentry: Partial<Record<ManagerVariable, string>> = props.sentryDsn ? { SENTRY_DSN: props.sentryDsn } : {};
  const groups = props.groups.map(({ config, definition, securityGroup }) => ({
    config,
    taskDefinition: definition.taskDefinitionArn,
    cluster: networking.cluster.clusterArn,
    securityGroup: securityGroup.securityGroupId,
  }));
  return { ...environment, ...sentry, ...toJobTypeEnvironment(groups) };
}

/** Allows the manager to list tasks of this cluster and to start workers of this stack, but to stop none. */
function allowLaunching(role: iam.IRole, { networking, groups }: CapacityManagerProps): void {
  const { account, region } = Stack.of(role);
  const { clusterArn, clusterName } = networking.cluster;
  const inCluster = { ArnEquals: { 'ecs:cluster': clusterArn } };
  allow(role, {
    actions: ['ecs:RunTask'],
    resources: groups.map(({ family }) => `arn:aws:ecs:${region}:${account}:task-definition/${family}:*`),
    conditions: inCluster,
    why: 'Any revision of the family, because the manager outlives a revision of the workers.',
  });
  allow(role, {
    actions: ['ecs:ListTasks'],
    resources: ['*'],
    conditions: inCluster,
    why: 'ecs:ListTasks and ec2:DescribeSubnets know no resource; a condition limits the first to the cluster.',
  });
  allow(role, { actions: ['ec2:DescribeSubnets'], resources: ['*'] });
  allow(role, {
    actions: ['ecs:DescribeTasks'],
    resources: [`arn:aws:ecs:${region}:${account}:task/${clusterName}/*`],
    conditions: inCluster,
    why: 'The id of a task is unknown before the task runs.',
  });
  allow(role, {
    actions: ['iam:PassRole'],
    resources: groups.flatMap(({ definition }) => [
      definition.taskRole.roleArn,
      definition.obtainExecutionRole().roleArn,
    ]),
    conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
  });
}
