import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct, type IDependable } from 'constructs';
import { toFirstBootCommands, toMountScript } from '../mount-script.js';
import { acknowledge, allow } from '../nag.js';
import { createDataBucket } from './buckets.js';

/** Parameter with the newest image of Ubuntu 24.04, which CloudFormation reads at each deployment. */
const ubuntu = '/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id';

/** User id of the files' owner: `ubuntu` on the instance, `node` in our containers. */
const owner = '1000';

/** The file system with the input data of jobs, the instance that fills the file system, and a bucket for transfers. */
export class DataFiles extends Construct {
  readonly bucket: s3.Bucket;
  readonly instance: ec2.Instance;
  /** Exists once the file system can be mounted. */
  readonly ready: IDependable;
  private readonly fileSystem: efs.FileSystem;
  private readonly accessPoint: efs.AccessPoint;
  private readonly group: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, props: { vpc: ec2.IVpc; logsBucket: s3.IBucket }) {
    super(scope, id);
    const { vpc } = props;
    const description = 'The file system: NFS from those that mount it';
    this.group = new ec2.SecurityGroup(this, 'Group', { vpc, description, allowAllOutbound: false });
    const requireTls = new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      principals: [new iam.AnyPrincipal()],
      actions: ['*'],
      conditions: { Bool: { 'aws:SecureTransport': 'false' } },
    });
    this.fileSystem = new efs.FileSystem(this, 'FileSystem', {
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
      securityGroup: this.group,
      encrypted: true,
      enableAutomaticBackups: true,
      throughputMode: efs.ThroughputMode.ELASTIC,
      lifecyclePolicy: efs.LifecyclePolicy.AFTER_30_DAYS,
      removalPolicy: RemovalPolicy.RETAIN,
      // Requires a role to mount: without any policy, every client that reaches a mount target may mount.
      fileSystemPolicy: new iam.PolicyDocument({ statements: [requireTls] }),
    });
    this.accessPoint = this.fileSystem.addAccessPoint('Data', {
      path: '/data',
      createAcl: { ownerUid: owner, ownerGid: owner, permissions: '755' },
      posixUser: { uid: owner, gid: owner },
    });
    this.ready = this.fileSystem.mountTargetsAvailable;
    this.bucket = createDataBucket(this, props.logsBucket);
    this.instance = this.createInstance(vpc);
  }

  /** Mounts the data in a task at /data. `openTo` must admit the task's security group. */
  mountIn(definition: ecs.TaskDefinition, { readOnly }: { readOnly: boolean }) {
    definition.addVolume({
      name: 'data',
      efsVolumeConfiguration: {
        fileSystemId: this.fileSystem.fileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: this.accessPoint.accessPointId, iam: 'ENABLED' },
      },
    });
    definition.defaultContainer?.addMountPoints({ sourceVolume: 'data', containerPath: '/data', readOnly });
    this.allowMount(definition.taskRole, { readOnly });
  }

  openTo(client: ec2.SecurityGroup, name: string): void {
    this.group.addIngressRule(client, ec2.Port.tcp(2049), `NFS from ${name}`);
  }

  private allowMount(role: iam.IRole, { readOnly }: { readOnly: boolean }): void {
    allow(role, {
      actions: ['elasticfilesystem:ClientMount', ...(readOnly ? [] : ['elasticfilesystem:ClientWrite'])],
      resources: [this.fileSystem.fileSystemArn],
      conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': this.accessPoint.accessPointArn } },
    });
  }

  /** Creates an instance without a key or an open port, because operators connect through Session Manager. */
  private createInstance(vpc: ec2.IVpc): ec2.Instance {
    const description = 'The service instance: nothing comes in';
    const group = new ec2.SecurityGroup(this, 'InstanceGroup', { vpc, description, allowAllOutbound: true });
    this.openTo(group, 'the service instance');
    const userData = ec2.UserData.forLinux();
    const mountScript = toMountScript(this.fileSystem.fileSystemId, this.accessPoint.accessPointId);
    userData.addCommands(...toFirstBootCommands(mountScript));
    const disk = ec2.BlockDeviceVolume.ebs(20, { encrypted: true, volumeType: ec2.EbsDeviceVolumeType.GP3 });
    const instance = new ec2.Instance(this, 'Instance', {
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
      associatePublicIpAddress: true,
      securityGroup: group,
      instanceType: new ec2.InstanceType('t4g.small'),
      machineImage: ec2.MachineImage.fromSsmParameter(ubuntu, { os: ec2.OperatingSystemType.LINUX, userData }),
      userData,
      httpTokens: ec2.HttpTokens.REQUIRED,
      detailedMonitoring: true,
      blockDevices: [{ deviceName: '/dev/sda1', volume: disk }],
    });
    instance.node.addDependency(this.ready);
    instance.role.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'));
    acknowledge(instance, {
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]':
        'Session Manager is the only access, and AWS updates this policy together with the agent.',
      EC29: 'The instance stores nothing: a replacement mounts the same files.',
    });
    this.allowMount(instance.role, { readOnly: false });
    allow(instance.role, { actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
    allow(instance.role, {
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      resources: [this.bucket.arnForObjects('*')],
      why: 'Operators move data of any name through this bucket, which has no other use.',
    });
    return instance;
  }
}
