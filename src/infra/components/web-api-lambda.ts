import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as integrations from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import * as route53Targets from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.js';
import { createLogGroup } from './log-group.js';
import { ProgramFunction, type ProgramFunctionProps } from './program-function.js';

export interface WebApiLambdaProps extends Pick<ProgramFunctionProps, 'bundle' | 'environment' | 'networking'> {
  domainName: string;
  certificateArn: string;
}

/** The API as a Lambda function behind an HTTP API that forwards every path. */
export class WebApiLambda extends Construct {
  readonly program: ProgramFunction;
  readonly fn: lambda.Function;
  readonly role: iam.IRole;
  readonly group: ec2.SecurityGroup | undefined;
  /** Target of the DNS record. */
  readonly recordTarget: route53.IAliasRecordTarget;

  constructor(scope: Construct, id: string, props: WebApiLambdaProps) {
    super(scope, id);
    this.program = new ProgramFunction(this, 'Program', {
      ...props,
      description: 'ReefGuide: the web API',
      handler: 'dist/server/lambda.handler',
      memoryMiB: 1024,
      // Matches API Gateway, which stops waiting after 30 s.
      timeoutSeconds: 30,
    });
    this.fn = this.program.fn;
    this.role = this.program.role;
    this.group = this.program.group;
    const api = new apigateway.HttpApi(this, 'Api', {
      description: 'ReefGuide: the web API',
      createDefaultStage: false,
      // Closes the default address, so that all requests use our domain name.
      disableExecuteApiEndpoint: true,
      defaultIntegration: new integrations.HttpLambdaIntegration('Integration', this.fn),
    });
    acknowledge(api, { APIG4: 'The program authenticates each request; some paths are public.' });
    const accessLogs = createLogGroup(this, 'AccessLogs');
    const stage = new apigateway.HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 500, burstLimit: 1000 },
      accessLogSettings: { destination: new apigateway.LogGroupLogDestination(accessLogs) },
    });
    const domain = new apigateway.DomainName(this, 'Domain', {
      domainName: props.domainName,
      certificate: acm.Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn),
      endpointType: apigateway.EndpointType.REGIONAL,
      securityPolicy: apigateway.SecurityPolicy.TLS_1_2,
    });
    new apigateway.ApiMapping(this, 'Mapping', { api, domainName: domain, stage });
    this.recordTarget = new route53Targets.ApiGatewayv2DomainProperties(
      domain.regionalDomainName,
      domain.regionalHostedZoneId,
    );
  }
}
