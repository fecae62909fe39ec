import { Duration } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { type ContainerImage, type FargateTaskDefinition, Secret as TaskSecret } from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { WorkerConfig } from '../../deployment/load.js';
import { programImage } from '../image-names.js';
import { containerImage } from '../images.js';
import { allow } from '../nag.js';
import type { DataFiles } from './data-files.js';
import { fargateTask } from './fargate.js';
import type { Networking } from './networking.js';

export interface JobSystemProps {
  stackName: string;
  region: string;
  workers: readonly WorkerConfig[];
  apiEndpoint: string;
  networking: Networking;
  files: DataFiles;
  resultsBucket: IBucket;
  workerSecret: ISecret;
  program: ContainerImage;
}

export interface WorkerGroup {
  config: WorkerConfig;
  family: string;
  definition: FargateTaskDefinition;
  securityGroup: SecurityGroup;
}

/** Seconds that ECS, and the notice of a Spot interruption, leave a worker to end what it does. */
const stopSeconds = 120;

/** One task definition a worker. The capacity manager starts their tasks. */
export class JobSystem extends Construct {
  readonly groups: readonly WorkerGroup[];

  constructor(scope: Construct, id: string, props: JobSystemProps) {
    super(scope, id);
    this.groups = props.workers.map((config) => this.group(config, props));
  }

  private group(config: WorkerConfig, props: JobSystemProps): WorkerGroup {
    const family = `${props.stackName}-worker-${config.name}`;
    const jobTypes = config.jobTypes.join(',');
    const securityGroup = new SecurityGroup(this, `${config.name}Group`, {
      vpc: props.networking.vpc,
      description: `Worker ${config.name}: nothing comes in`,
    });
    const definition = fargateTask(this, config.name, {
      family,
      cpu: config.cpu,
      memoryLimitMiB: config.memoryLimitMiB,
      image: containerImage(this, config.name, config.image, props.program),
      // Another image knows by itself what to run.
      command: config.command ?? (config.image === programImage ? ['worker', '--types', jobTypes] : undefined),
      environment: {
        STOP_GRACE_SECONDS: String(stopSeconds - 20),
        ...config.env,
        API_ENDPOINT: props.apiEndpoint,
        AWS_REGION: props.region,
        JOB_TYPES: jobTypes,
      },
      secrets: {
        API_USERNAME: TaskSecret.fromSecretsManager(props.workerSecret, 'username'),
        API_PASSWORD: TaskSecret.fromSecretsManager(props.workerSecret, 'password'),
      },
      stopTimeout: Duration.seconds(stopSeconds),
    });
    allowResults(definition.taskRole, props.resultsBucket);
    if (config.mountData) {
      props.files.mountIn(definition, { readOnly: true });
      props.files.openTo(securityGroup, `worker ${config.name}`);
    }
    return { config, family, definition, securityGroup };
  }
}

/** Workers write and read under jobs/, each file as long as it takes. */
function allowResults(role: IRole, bucket: IBucket): void {
  allow(role, {
    actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
    resources: [bucket.arnForObjects('jobs/*')],
    why: 'Each job has a folder of its own under jobs/, which is made after the role.',
  });
  allowListing(role, bucket);
}

/** The API makes links to the files; a link can no more than who made it. */
export function allowDownloads(role: IRole, bucket: IBucket): void {
  allow(role, {
    actions: ['s3:GetObject'],
    resources: [bucket.arnForObjects('jobs/*')],
    why: 'Each job has a folder of its own under jobs/, which is made after the role.',
  });
  allowListing(role, bucket);
}

function allowListing(role: IRole, bucket: IBucket): void {
  allow(role, {
    actions: ['s3:ListBucket'],
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': 'jobs/*' } },
  });
}
