import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { WorkerConfig } from '../../deployment/schema.js';
import { programImage } from '../image-names.js';
import { toContainerImage } from '../images.js';
import { allow } from '../nag.js';
import type { DataFiles } from './data-files.js';
import { createFargateTask } from './fargate.js';
import type { Networking } from './networking.js';

export interface JobSystemProps {
  stackName: string;
  region: string;
  workers: readonly WorkerConfig[];
  apiEndpoint: string;
  networking: Networking;
  files: DataFiles;
  resultsBucket: s3.IBucket;
  workerSecret: secretsmanager.ISecret;
  program: ecs.ContainerImage;
}

export interface WorkerGroup {
  config: WorkerConfig;
  family: string;
  definition: ecs.FargateTaskDefinition;
  securityGroup: ec2.SecurityGroup;
}

/** Seconds between the stop signal and the kill, on ECS and after the notice of a Spot interruption. */
const stopSeconds = 120;

/** Actions of workers on files, which may have several parts. */
const fileActions = ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];

/** Defines one task for each worker. The capacity manager starts the tasks. */
export class JobSystem extends Construct {
  readonly groups: readonly WorkerGroup[];

  constructor(scope: Construct, id: string, props: JobSystemProps) {
    super(scope, id);
    this.groups = props.workers.map((config) => this.addGroup(config, props));
  }

  private addGroup(config: WorkerConfig, props: JobSystemProps): WorkerGroup {
    const family = `${props.stackName}-worker-${config.name}`;
    const jobTypes = config.jobTypes.join(',');
    const { vpc } = props.networking;
    const description = `Worker ${config.name}: nothing comes in`;
    const securityGroup = new ec2.SecurityGroup(this, `${config.name}Group`, { vpc, description });
    const definition = createFargateTask(this, config.name, {
      family,
      cpu: config.cpu,
      memoryLimitMiB: config.memoryLimitMiB,
      image: toContainerImage(this, config.name, config.image, props.program),
      // Leaves the command to an image that is not ours.
      command: config.command ?? (config.image === programImage ? ['worker', '--types', jobTypes] : undefined),
      environment: {
        STOP_GRACE_SECONDS: String(stopSeconds - 20),
        ...config.env,
        API_ENDPOINT: props.apiEndpoint,
        AWS_REGION: props.region,
        JOB_TYPES: jobTypes,
      },
      secrets: {
        API_USERNAME: ecs.Secret.fromSecretsManager(props.workerSecret, 'username'),
        API_PASSWORD: ecs.Secret.fromSecretsManager(props.workerSecret, 'password'),
      },
      stopTimeout: Duration.seconds(stopSeconds),
    });
    allowJobFiles(definition.taskRole, props.resultsBucket, fileActions);
    if (config.mountData) {
      props.files.mountIn(definition, { readOnly: true });
      props.files.openTo(securityGroup, `worker ${config.name}`);
    }
    return { config, family, definition, securityGroup };
  }
}

/**
 * Allows actions on files under jobs/. The API needs `s3:GetObject`, because a presigned link grants no more than the signer
 * may do.
 */
export function allowJobFiles(role: iam.IRole, bucket: s3.IBucket, actions: string[]): void {
  allow(role, {
    actions,
    resources: [bucket.arnForObjects('jobs/*')],
    why: 'Each job has a prefix of its own under jobs/, which exists only after the role.',
  });
  allow(role, {
    actions: ['s3:ListBucket'],
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': 'jobs/*' } },
  });
}
