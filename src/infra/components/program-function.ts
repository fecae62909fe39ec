import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeLint, allow } from '../nag.js';
import { createLogGroup } from './log-group.js';
import type { Networking } from './networking.js';

export interface ProgramFunctionProps {
  description: string;
  /** Directory of the bundle. */
  bundle: string;
  handler: string;
  environment: Record<string, string>;
  memoryMiB: number;
  timeoutSeconds: number;
  /** Network of a function that uses the database; undefined: the function runs outside the VPC. */
  networking: Networking | undefined;
  deadLetterQueue?: sqs.IQueue;
}

/** A Lambda function of this program's bundle. The role allows writing the log, and what callers add. */
export class ProgramFunction extends Construct {
  readonly fn: lambda.Function;
  readonly role: iam.Role;
  readonly group: ec2.SecurityGroup | undefined;
  private readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, props: ProgramFunctionProps) {
    super(scope, id);
    const { networking } = props;
    this.logGroup = createLogGroup(this, 'Logs');
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    allow(this.role, {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [this.logGroup.logGroupArn],
    });
    this.group = networking && this.joinNetwork(networking, props.description);
    this.fn = new lambda.Function(this, 'Function', {
      description: props.description,
      runtime: lambda.Runtime.NODEJS_22_X,
      architecture: lambda.Architecture.X86_64,
      code: lambda.Code.fromAsset(props.bundle),
      handler: props.handler,
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      memorySize: props.memoryMiB,
      timeout: Duration.seconds(props.timeoutSeconds),
      role: this.role,
      logGroup: this.logGroup,
      ...(networking && this.group
        ? { vpc: networking.vpc, vpcSubnets: { subnetType: networking.functionSubnets }, securityGroups: [this.group] }
        : {}),
      ...(props.deadLetterQueue ? { deadLetterQueue: props.deadLetterQueue } : {}),
    });
    // CDK declares a dependency on the role in addition to the reference.
    acknowledgeLint(this.fn, 'W3005');
    acknowledge(this.fn, { L1: 'Tests run the program on this runtime, and on no newer one.' });
  }

  /** Creates the function's security group in the VPC, and allows Lambda to create network interfaces there. */
  private joinNetwork(networking: Networking, description: string): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(this, 'Group', { vpc: networking.vpc, description, allowAllOutbound: false });
    networking.openEndpointsTo(group);
    // Allows public addresses, because the gateway endpoint of S3 and a NAT lead to public addresses.
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'HTTPS to AWS');
    allow(this.role, {
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
      why: 'Lambda creates interfaces in our subnets, and requires these actions without a resource.',
    });
    return group;
  }

  /** Allows this function to search the logs of `functions` for the lines of a request. */
  allowTracing(...functions: readonly ProgramFunction[]): void {
    const groups = functions.map(({ logGroup }) => logGroup);
    this.fn.addEnvironment('LOG_GROUP_NAMES', groups.map(({ logGroupName }) => logGroupName).join(','));
    allow(this.role, { actions: ['logs:FilterLogEvents'], resources: groups.map(({ logGroupArn }) => logGroupArn) });
  }
}
