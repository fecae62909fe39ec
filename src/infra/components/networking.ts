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
  /** Isolated subnets, and endpoints for what a Lambda calls from there. */
  withDatabase: boolean;
  /** Functions beside the database read what executions logged. */
  withExecutions: boolean;
  /** Functions beside the database write to WebSockets, which can be reached over the internet alone. */
  withSockets: boolean;
}

/** The VPC, its endpoints, the cluster, and the load balancer that the services share. */
export class Networking extends Construct {
  readonly vpc: Vpc;
  readonly cluster: Cluster;
  readonly balancer: ApplicationLoadBalancer;
  readonly listener: ApplicationListener;
  /** Of functions that run beside the database. */
  readonly functionSubnets: SubnetType;
  /** In front of the interface endpoints, which exist where such functions have no other way. */
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
        // After the others, whose addresses so stay what they are when this comes or goes.
        ...(withNat ? [{ name: 'Functions', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 }] : []),
      ],
    });
    // Workers move gigabytes to and from the bucket: not over the internet.
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
    acknowledge(balancerGroup, 'The load balancer is the public entrance; HTTP does nothing but redirect.', 'EC23');
    this.balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc: this.vpc,
      internetFacing: true,
      securityGroup: balancerGroup,
      dropInvalidHeaderFields: true,
      // Longer than the longest poll (30 s) and the beat of event streams.
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

  /** Without a NAT, what a Lambda beside the database calls, it calls through these. */
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

  /** Lets a function that runs beside the database reach the endpoints, where there are any. */
  openEndpointsTo(functionGroup: SecurityGroup): void {
    this.endpoints?.addIngressRule(functionGroup, Port.tcp(443), 'HTTPS from a function');
    if (this.endpoints) functionGroup.addEgressRule(this.endpoints, Port.tcp(443), 'HTTPS to the endpoints');
  }
}
