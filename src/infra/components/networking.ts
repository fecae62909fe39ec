import { Duration } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.js';
import { createLogGroup } from './log-group.js';

export interface NetworkingProps {
  certificateArn: string;
  logsBucket: s3.IBucket;
  /** Creates isolated subnets, and endpoints for the AWS services that a Lambda function calls from a subnet. */
  withDatabase: boolean;
  /** Adds an endpoint of CloudWatch Logs, because functions read the logs of executions. */
  withExecutions: boolean;
  /** Adds a NAT for functions in the VPC, because API Gateway accepts messages to WebSockets over the internet alone. */
  withSockets: boolean;
}

/** VPC, endpoints, ECS cluster, and the load balancer of all services. */
export class Networking extends Construct {
  readonly vpc: ec2.Vpc;
  readonly cluster: ecs.Cluster;
  readonly balancer: elb.ApplicationLoadBalancer;
  readonly listener: elb.ApplicationListener;
  /** Subnets of functions that use the database. */
  readonly functionSubnets: ec2.SubnetType;
  /** Security group of the interface endpoints; undefined where functions need none. */
  readonly endpoints: ec2.SecurityGroup | undefined;

  constructor(scope: Construct, id: string, props: NetworkingProps) {
    super(scope, id);
    const withNat = props.withDatabase && props.withSockets;
    this.functionSubnets = withNat ? ec2.SubnetType.PRIVATE_WITH_EGRESS : ec2.SubnetType.PRIVATE_ISOLATED;
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      natGateways: withNat ? 1 : 0,
      subnetConfiguration: [
        { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 22, mapPublicIpOnLaunch: true },
        ...(props.withDatabase
          ? [{ name: 'Isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }]
          : []),
        // Stands last, so that adding or removing this subnet leaves the addresses of the others alone.
        ...(withNat ? [{ name: 'Functions', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 }] : []),
      ],
    });
    // Keeps the gigabytes between workers and bucket off the internet.
    this.vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    this.vpc.addFlowLog('Refused', {
      trafficType: ec2.FlowLogTrafficType.REJECT,
      destination: ec2.FlowLogDestination.toCloudWatchLogs(createLogGroup(this, 'FlowLogs')),
    });
    if (props.withDatabase && !withNat) this.endpoints = this.addEndpoints(props.withExecutions);
    this.cluster = new ecs.Cluster(this, 'Cluster', {
      vpc: this.vpc,
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
      enableFargateCapacityProviders: true,
    });
    const description = 'The load balancer: HTTP and HTTPS from everywhere';
    const balancerGroup = new ec2.SecurityGroup(this, 'BalancerGroup', {
      vpc: this.vpc,
      description,
      allowAllOutbound: false,
    });
    acknowledge(balancerGroup, { EC23: 'The load balancer is the public entrance; HTTP only redirects.' });
    this.balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
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
      protocol: elb.ApplicationProtocol.HTTPS,
      certificates: [acm.Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn)],
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
      defaultAction: elb.ListenerAction.fixedResponse(404, { contentType: 'text/plain', messageBody: 'Not found' }),
    });
  }

  /** Creates the endpoints through which a function in the VPC calls AWS without a NAT. */
  private addEndpoints(withExecutions: boolean): ec2.SecurityGroup {
    const description = 'Interface endpoints: HTTPS from the Lambda functions';
    const group = new ec2.SecurityGroup(this, 'EndpointsGroup', {
      vpc: this.vpc,
      description,
      allowAllOutbound: false,
    });
    for (const [name, service] of [
      ['SecretsManager', ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER],
      ['Ecs', ec2.InterfaceVpcEndpointAwsService.ECS],
      ...(withExecutions ? ([['Logs', ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS]] as const) : []),
    ] as const) {
      this.vpc.addInterfaceEndpoint(name, {
        service,
        open: false,
        securityGroups: [group],
        subnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      });
    }
    return group;
  }

  /** Opens the endpoints, if any, to a function in the VPC. */
  openEndpointsTo(functionGroup: ec2.SecurityGroup): void {
    this.endpoints?.addIngressRule(functionGroup, ec2.Port.tcp(443), 'HTTPS from a function');
    if (this.endpoints) functionGroup.addEgressRule(this.endpoints, ec2.Port.tcp(443), 'HTTPS to the endpoints');
  }
}
