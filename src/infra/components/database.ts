import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  InstanceClass,
  InstanceSize,
  InstanceType,
  type IVpc,
  Port,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import {
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  ParameterGroup,
  PostgresEngineVersion,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';
import { acknowledge, acknowledgeLint } from '../nag.js';

export interface DatabaseProps {
  vpc: IVpc;
  config: NonNullable<Deployment['db']>;
}

const sizes = {
  micro: InstanceSize.MICRO,
  small: InstanceSize.SMALL,
  medium: InstanceSize.MEDIUM,
  large: InstanceSize.LARGE,
  xlarge: InstanceSize.XLARGE,
  '2xlarge': InstanceSize.XLARGE2,
} satisfies Record<DatabaseProps['config']['instanceSize'], InstanceSize>;

/** Postgres on RDS, in subnets without access to the internet. */
export class Database extends Construct {
  readonly instance: DatabaseInstance;
  /** A JSON object with host, port, username, password and dbname. */
  readonly secret: ISecret;
  private readonly group: SecurityGroup;

  constructor(scope: Construct, id: string, { vpc, config }: DatabaseProps) {
    super(scope, id);
    const engine = DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.VER_17 });
    this.group = new SecurityGroup(this, 'Group', {
      vpc,
      description: 'Postgres: from the API and the event processor',
      allowAllOutbound: false,
    });
    const credentials = Credentials.fromGeneratedSecret('reefguide', {
      excludeCharacters: ' %+~`#$&*()|[]{}:;<>?!\'/@"\\',
    });
    this.instance = new DatabaseInstance(this, 'Instance', {
      engine,
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [this.group],
      instanceType: InstanceType.of(InstanceClass.BURSTABLE4_GRAVITON, sizes[config.instanceSize]),
      databaseName: 'reefguide',
      credentials,
      parameterGroup: new ParameterGroup(this, 'Parameters', { engine, parameters: { 'rds.force_ssl': '1' } }),
      allocatedStorage: config.storageGb,
      ...(config.storageGb <= 32_768 ? { maxAllocatedStorage: config.storageGb * 2 } : {}),
      storageType: StorageType.GP3,
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
    acknowledge(
      this.instance,
      'Two weeks of backups restore any second; a second instance would double the cost of a service that may be down for minutes.',
      'RDS3',
    );
    acknowledge(
      this.instance,
      'Only two security groups reach the database; another port would hide nothing.',
      'RDS11',
    );
    acknowledge(this.instance, 'Programs read the secret at start, so a rotation needs a redeployment.', 'SMG4');
  }

  openTo(client: SecurityGroup, name: string): void {
    this.group.addIngressRule(client, Port.tcp(5432), `Postgres from ${name}`);
    if (!client.allowAllOutbound) client.addEgressRule(this.group, Port.tcp(5432), 'Postgres');
  }
}
