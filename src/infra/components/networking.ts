import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import {
  type ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ListenerAction,
  SslPolicy,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.js';

export interface NetworkingProps {
  certificateArn: string;
  logsBucket: IBucket;
  /** Creates isolated subnets, and endpoints for the AWS services that a Lambda function calls from a subnet. */
  withDatabase: boolean;
  /** Adds an endpoint of CloudWatch Logs, because functions read the logs of executions. */
  withExecutions: boolean;
  /** Adds a NAT for functions in the VPC, because API Gateway accepts messages to WebSockets over the internet alone. */
  withSockets: boolean;
}

/** VPC, endpoints, ECS cluster, and the load balancer of all services. */
export class Networking extends Construct {
  readonly vpc: Vpc;
  readonly cluster: Cluster;
  readonly balancer: ApplicationLoadBalancer;
  readonly listener: ApplicationListener;
  /** Subnets of functions that use the database. */
  readonly functionSubnets: SubnetType;
  /** Security group of the interface endpoints; undefined where functions need none. */
  readonly endpoints: SecurityGroup | undefined;

  constructor(scope: Construct, id: string, props: NetworkingProps) {
    super(scope, id);
    const withNat = props.withDatabase && props.withSockets;
    this.functionSubnets = withNat ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED;
    this.vpc = new Vpc(this, 'Vpc', {
      natGateways: withNat ? 1 : 0,
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 22, mapPublicIpOnLaunch: true },
        ...(props.withDatabase ? [{ name: 'Isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }] : []),
        // Stands last, so that adding or removing this subnet leaves the addresses of the others alone.
        ...(withNat ? [{ name: 'Functions', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 }] : []),
      ],
    });
    // Keeps the gigabytes between workers and bucket off the internet.
    this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    this.vpc.addFlowLog('Refused', {
      trafficType: FlowLogTrafficType.REJECT,
      destination: FlowLogDestination.toCloudWatchLogs(
        new LogGroup(this, 'FlowLogs', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY }),
      ),
    });
    if (props.withDatabase && !withNat) this.endpoints = this.addEndpoints(props.withExecutions);

    this.cluster = new Cluster(this, 'Cluster', {
      vpc: this.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
      enableFargateCapacityProviders: true,
    });

    const balancerGroup = new SecurityGroup(this, 'BalancerGroup', {
      vpc: this.vpc,
      description: 'The load balancer: HTTP and HTTPS from everywhere',
      allowAllOutbound: false,
    });
    acknowledge(balancerGroup, 'The load balancer is the public entrance; HTTP only redirects.', 'EC23');
    this.balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc: this.vpc,
      internetFacing: true,
      securityGroup: balancerGroup,
      dropInvalidHeaderFields: true,
      // Exceeds the longest poll (30 s) and the keep-alive interval of event streams.
      idleTimeout: Duration.seconds(60),
    });
    this.balancer.logAccessLogs(props.logsBucket, 'balancer');
    this.balancer.addRedirect();
    this.listener = this.balancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      certificates: [Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn)],
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      defaultAction: ListenerAction.fixedResponse(404, { contentType: 'text/plain', messageBody: 'Not found' }),
    });
  }

  /** Creates the endpoints through which a function in the VPC calls AWS without a NAT. */
  private addEndpoints(withExecutions: boolean): SecurityGroup {
    const group = new SecurityGroup(this, 'EndpointsGroup', {
      vpc: this.vpc,
      description: 'Interface endpoints: HTTPS from the Lambda functions',
      allowAllOutbound: false,
    });
    for (const [name, service] of [
      ['SecretsManager', InterfaceVpcEndpointAwsService.SECRETS_MANAGER],
      ['Ecs', InterfaceVpcEndpointAwsService.ECS],
      ...(withExecutions ? ([['Logs', InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS]] as const) : []),
    ] as const) {
      this.vpc.addInterfaceEndpoint(name, {
        service,
        open: false,
        securityGroups: [group],
        subnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      });
    }
    return group;
  }

  /** Opens the endpoints, if any, to a function in the VPC. */
  openEndpointsTo(functionGroup: SecurityGroup): void {
    this.endpoints?.addIngressRule(functionGroup, Port.tcp(443), 'HTTPS from a function');
    if (this.endpoints) functionGroup.addEgressRule(this.endpoints, Port.tcp(443), 'HTTPS to the endpoints');
  }
}
