import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acceptLint, acknowledge, allow } from '../nag.js';
import type { Networking } from './networking.js';

export interface ProgramFunctionProps {
  description: string;
  /** Folder with the bundle. */
  bundle: string;
  handler: string;
  environment: Record<string, string>;
  memoryMiB: number;
  timeoutSeconds: number;
  /** Given: it runs beside the database, with a way to the internet only where there is a NAT. */
  networking: Networking | undefined;
  deadLetterQueue?: IQueue;
}

/** A Lambda function of this program's bundle, with a role that holds nothing but what it is given. */
export class ProgramFunction extends Construct {
  readonly fn: LambdaFunction;
  readonly role: Role;
  readonly group: SecurityGroup | undefined;
  private readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: ProgramFunctionProps) {
    super(scope, id);
    const { networking } = props;
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    allow(this.role, {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [this.logGroup.logGroupArn],
    });
    if (networking) {
      this.group = new SecurityGroup(this, 'Group', {
        vpc: networking.vpc,
        description: props.description,
        allowAllOutbound: false,
      });
      networking.openEndpointsTo(this.group);
      // The gateway endpoint leads to S3; its addresses are public ones, as all are behind a NAT.
      this.group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'HTTPS to AWS');
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
        why: 'Lambda makes the interfaces in our subnets, and demands these without a resource.',
      });
    }
    this.fn = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_22_X,
      architecture: Architecture.X86_64,
      code: Code.fromAsset(props.bundle),
      handler: props.handler,
      environment: {
        ...props.environment,
        NODE_OPTIONS: '--enable-source-maps',
      },
      memorySize: props.memoryMiB,
      timeout: Duration.seconds(props.timeoutSeconds),
      role: this.role,
      logGroup: this.logGroup,
      ...(networking && this.group
        ? {
            vpc: networking.vpc,
            vpcSubnets: { subnetType: networking.functionSubnets },
            securityGroups: [this.group],
          }
        : {}),
      ...(props.deadLetterQueue ? { deadLetterQueue: props.deadLetterQueue } : {}),
    });
    // CDK names the role as a dependency beside the reference to it.
    acceptLint(this.fn, 'W3005');
    acknowledge(this.fn, 'The newest runtime that the program is tested with.', 'L1');
  }

  /** Finds log lines of requests, to trace one, in the logs of these functions. */
  traceIn(...functions: readonly ProgramFunction[]): void {
    const groups = functions.map(({ logGroup }) => logGroup);
    this.fn.addEnvironment('LOG_GROUP_NAMES', groups.map(({ logGroupName }) => logGroupName).join(','));
    allow(this.role, { actions: ['logs:FilterLogEvents'], resources: groups.map(({ logGroupArn }) => logGroupArn) });
  }
}
