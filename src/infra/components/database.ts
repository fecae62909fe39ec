import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';
import { acknowledge, acknowledgeLint } from '../nag.js';

export interface DatabaseProps {
  vpc: ec2.IVpc;
  config: NonNullable<Deployment['db']>;
}

const sizes = {
  micro: ec2.InstanceSize.MICRO,
  small: ec2.InstanceSize.SMALL,
  medium: ec2.InstanceSize.MEDIUM,
  large: ec2.InstanceSize.LARGE,
  xlarge: ec2.InstanceSize.XLARGE,
  '2xlarge': ec2.InstanceSize.XLARGE2,
} satisfies Record<DatabaseProps['config']['instanceSize'], ec2.InstanceSize>;

/** Postgres on RDS, in subnets without access to the internet. */
export class Database extends Construct {
  readonly instance: rds.DatabaseInstance;
  /** A JSON object with host, port, username, password and dbname. */
  readonly secret: secretsmanager.ISecret;
  private readonly group: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { vpc, config }: DatabaseProps) {
    super(scope, id);
    const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 });
    const description = 'Postgres: from the API and the event processor';
    this.group = new ec2.SecurityGroup(this, 'Group', { vpc, description, allowAllOutbound: false });
    const credentials = rds.Credentials.fromGeneratedSecret('reefguide', {
      excludeCharacters: ' %+~`#$&*()|[]{}:;<>?!\'/@"\\',
    });
    this.instance = new rds.DatabaseInstance(this, 'Instance', {
      engine,
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroups: [this.group],
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.BURSTABLE4_GRAVITON, sizes[config.instanceSize]),
      databaseName: 'reefguide',
      credentials,
      parameterGroup: new rds.ParameterGroup(this, 'Parameters', { engine, parameters: { 'rds.force_ssl': '1' } }),
      allocatedStorage: config.storageGb,
      ...(config.storageGb <= 32_768 ? { maxAllocatedStorage: config.storageGb * 2 } : {}),
      storageType: rds.StorageType.GP3,
      storageEncrypted: true,
      backupRetention: Duration.days(14),
      copyTagsToSnapshot: true,
      deletionProtection: true,
      autoMinorVersionUpgrade: true,
      publiclyAccessible: false,
      cloudwatchLogsExports: ['postgresql'],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Names the major version alone, because RDS raises the minor version and a number here would revert that.
    acknowledgeLint(this.instance, 'W3691');
    const { secret } = this.instance;
    if (!secret) throw new Error('The database has no generated secret');
    this.secret = secret;
    acknowledge(this.instance, {
      RDS3: 'Two weeks of backups restore any second; a second instance would double the cost of a service that may be down for minutes.',
      RDS11: 'Only two security groups reach the database; another port would hide nothing.',
      SMG4: 'Programs read the secret at start, so a rotation needs a redeployment.',
    });
  }

  openTo(client: ec2.SecurityGroup, name: string): void {
    this.group.addIngressRule(client, ec2.Port.tcp(5432), `Postgres from ${name}`);
    if (!client.allowAllOutbound) client.addEgressRule(this.group, ec2.Port.tcp(5432), 'Postgres');
  }
}
