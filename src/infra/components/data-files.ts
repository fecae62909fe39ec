import { RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  HttpTokens,
  Instance,
  InstanceType,
  type IVpc,
  MachineImage,
  OperatingSystemType,
  Port,
  SecurityGroup,
  SubnetType,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import type { TaskDefinition, Volume } from 'aws-cdk-lib/aws-ecs';
import { type AccessPoint, FileSystem, LifecyclePolicy, ThroughputMode } from 'aws-cdk-lib/aws-efs';
import { AnyPrincipal, Effect, type IRole, ManagedPolicy, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IDependable } from 'constructs';
import { firstBoot, mountScript } from '../mount-script.js';
import { acknowledge, allow } from '../nag.js';
import { dataBucket } from './buckets.js';

/** Ubuntu 24.04, the newest that Canonical published, looked up by CloudFormation when it deploys. */
const ubuntu = '/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id';

/** The owner of the files: `ubuntu` on the instance, `node` in a container of ours. */
const owner = '1000';

/** The file system with the data that jobs compute on, the instance that fills it, and the bucket between. */
export class DataFiles extends Construct {
  readonly bucket: Bucket;
  readonly instance: Instance;
  /** There when the file system can be mounted. */
  readonly ready: IDependable;
  private readonly fileSystem: FileSystem;
  private readonly accessPoint: AccessPoint;
  private readonly group: SecurityGroup;

  constructor(scope: Construct, id: string, props: { vpc: IVpc; logsBucket: IBucket }) {
    super(scope, id);
    const { vpc } = props;
    this.group = new SecurityGroup(this, 'Group', {
      vpc,
      description: 'The file system: NFS from those that mount it',
      allowAllOutbound: false,
    });
    this.fileSystem = new FileSystem(this, 'FileSystem', {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroup: this.group,
      encrypted: true,
      enableAutomaticBackups: true,
      throughputMode: ThroughputMode.ELASTIC,
      lifecyclePolicy: LifecyclePolicy.AFTER_30_DAYS,
      removalPolicy: RemovalPolicy.RETAIN,
      // A policy takes the default away by which whoever reaches a mount target may mount: now a role must be allowed.
      fileSystemPolicy: new PolicyDocument({
        statements: [
          new PolicyStatement({
            effect: Effect.DENY,
            principals: [new AnyPrincipal()],
            actions: ['*'],
            conditions: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      }),
    });
    this.accessPoint = this.fileSystem.addAccessPoint('Data', {
      path: '/data',
      createAcl: { ownerUid: owner, ownerGid: owner, permissions: '755' },
      posixUser: { uid: owner, gid: owner },
    });
    this.ready = this.fileSystem.mountTargetsAvailable;
    this.bucket = dataBucket(this, props.logsBucket);
    this.instance = this.serviceInstance(vpc);
  }

  /** Mounts the data in a task at /data. Its security group is let in by `openTo`. */
  mountIn(definition: TaskDefinition, { readOnly }: { readOnly: boolean }) {
    const volume: Volume = {
      name: 'data',
      efsVolumeConfiguration: {
        fileSystemId: this.fileSystem.fileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: this.accessPoint.accessPointId, iam: 'ENABLED' },
      },
    };
    definition.addVolume(volume);
    definition.defaultContainer?.addMountPoints({ sourceVolume: 'data', containerPath: '/data', readOnly });
    this.allowMount(definition.taskRole, { readOnly });
  }

  openTo(client: SecurityGroup, who: string): void {
    this.group.addIngressRule(client, Port.tcp(2049), `NFS from ${who}`);
  }

  private allowMount(role: IRole, { readOnly }: { readOnly: boolean }): void {
    allow(role, {
      actions: ['elasticfilesystem:ClientMount', ...(readOnly ? [] : ['elasticfilesystem:ClientWrite'])],
      resources: [this.fileSystem.fileSystemArn],
      conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': this.accessPoint.accessPointArn } },
    });
  }

  /** Small, without a key and an open port: operators come through Session Manager. */
  private serviceInstance(vpc: IVpc): Instance {
    const group = new SecurityGroup(this, 'InstanceGroup', {
      vpc,
      description: 'The service instance: nothing comes in',
      allowAllOutbound: true,
    });
    this.openTo(group, 'the service instance');
    const userData = UserData.forLinux();
    userData.addCommands(...firstBoot(mountScript(this.fileSystem.fileSystemId, this.accessPoint.accessPointId)));
    const instance = new Instance(this, 'Instance', {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      associatePublicIpAddress: true,
      securityGroup: group,
      instanceType: new InstanceType('t4g.small'),
      machineImage: MachineImage.fromSsmParameter(ubuntu, { os: OperatingSystemType.LINUX, userData }),
      userData,
      httpTokens: HttpTokens.REQUIRED,
      detailedMonitoring: true,
      blockDevices: [
        {
          deviceName: '/dev/sda1',
          volume: BlockDeviceVolume.ebs(20, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
        },
      ],
    });
    instance.node.addDependency(this.ready);
    instance.role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'));
    acknowledge(
      instance,
      'Session Manager is the only way in, and AWS keeps this policy in step with its agent.',
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]',
    );
    acknowledge(instance, 'It keeps nothing: the next one mounts the same files.', 'EC29');
    this.allowMount(instance.role, { readOnly: false });
    allow(instance.role, { actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
    allow(instance.role, {
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      resources: [this.bucket.arnForObjects('*')],
      why: 'Data of any name is moved through this bucket, which is for nothing else.',
    });
    return instance;
  }
}
