import { Duration, Stack } from 'aws-cdk-lib';
import { SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2';
import {
  type ContainerImage,
  FargateService,
  type FargateTaskDefinition,
  Secret as TaskSecret,
} from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/load.js';
import { fetchCheck } from '../image-names.js';
import { jobTypeEnvironment, type ManagerVariable } from '../manager-variables.js';
import { allow } from '../nag.js';
import { fargateTask } from './fargate.js';
import type { WorkerGroup } from './job-system.js';
import type { Networking } from './networking.js';

export interface CapacityManagerProps {
  stackName: string;
  region: string;
  config: Deployment['jobSystem']['capacityManager'];
  sentryDsn: string | undefined;
  apiEndpoint: string;
  networking: Networking;
  groups: readonly WorkerGroup[];
  managerSecret: ISecret;
  program: ContainerImage;
}

const port = 3000;

/** `reefguide capacity run` as a service. One is enough; a second would stand by, by the lease. */
export class CapacityManager extends Construct {
  readonly definition: FargateTaskDefinition;
  readonly service: FargateService;

  constructor(scope: Construct, id: string, props: CapacityManagerProps) {
    super(scope, id);
    const { config, networking } = props;
    const environment = {
      POLL_INTERVAL_MS: String(config.pollIntervalMs),
      API_ENDPOINT: props.apiEndpoint,
      AWS_REGION: props.region,
      VPC_ID: networking.vpc.vpcId,
      PORT: String(port),
      // The health check asks from within the task; nobody else needs to.
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      ...(props.sentryDsn ? { SENTRY_DSN: props.sentryDsn } : {}),
    } satisfies Record<Exclude<ManagerVariable, 'API_USERNAME' | 'API_PASSWORD' | 'SENTRY_DSN'>, string> & {
      SENTRY_DSN?: string;
    };
    const secrets = {
      API_USERNAME: TaskSecret.fromSecretsManager(props.managerSecret, 'username'),
      API_PASSWORD: TaskSecret.fromSecretsManager(props.managerSecret, 'password'),
    } satisfies Partial<Record<ManagerVariable, TaskSecret>>;
    this.definition = fargateTask(this, 'Task', {
      family: `${props.stackName}-capacity-manager`,
      cpu: config.cpu,
      memoryLimitMiB: config.memoryLimitMiB,
      image: props.program,
      command: ['capacity', 'run'],
      environment: {
        ...environment,
        ...jobTypeEnvironment(
          props.groups.map((group) => ({
            config: group.config,
            taskDefinition: group.definition.taskDefinitionArn,
            cluster: networking.cluster.clusterArn,
            securityGroup: group.securityGroup.securityGroupId,
          })),
        ),
      },
      secrets,
      healthCheck: {
        command: fetchCheck(`http://127.0.0.1:${port}/health`),
        interval: Duration.seconds(15),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(60),
      },
      // It ends within 5 s.
      stopTimeout: Duration.seconds(10),
    });
    allowLaunching(this.definition.taskRole, props);
    this.service = new FargateService(this, 'Service', {
      cluster: networking.cluster,
      taskDefinition: this.definition,
      securityGroups: [
        new SecurityGroup(this, 'Group', { vpc: networking.vpc, description: 'Capacity manager: nothing comes in' }),
      ],
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      assignPublicIp: true,
      desiredCount: 1,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
    });
  }
}

/** To see the tasks of this cluster and to start the workers of this stack; to stop none. */
function allowLaunching(role: IRole, { networking, groups }: CapacityManagerProps): void {
  const { account, region } = Stack.of(role);
  const { clusterArn, clusterName } = networking.cluster;
  const ofCluster = { ArnEquals: { 'ecs:cluster': clusterArn } };
  allow(role, {
    actions: ['ecs:RunTask'],
    resources: groups.map(({ family }) => `arn:aws:ecs:${region}:${account}:task-definition/${family}:*`),
    conditions: ofCluster,
    why: 'Any revision of this family: the manager outlives a revision of the workers.',
  });
  allow(role, {
    actions: ['ecs:ListTasks'],
    resources: ['*'],
    conditions: ofCluster,
    why: 'ecs:ListTasks and ec2:DescribeSubnets know no resource; the first is bound to the cluster by its condition.',
  });
  allow(role, { actions: ['ec2:DescribeSubnets'], resources: ['*'] });
  allow(role, {
    actions: ['ecs:DescribeTasks'],
    resources: [`arn:aws:ecs:${region}:${account}:task/${clusterName}/*`],
    conditions: ofCluster,
    why: "A task's id is not known before it runs.",
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
