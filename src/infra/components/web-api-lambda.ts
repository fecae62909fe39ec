import { RemovalPolicy } from 'aws-cdk-lib';
import {
  ApiMapping,
  DomainName,
  EndpointType,
  HttpApi,
  HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IAliasRecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.js';
import { ProgramFunction, type ProgramFunctionProps } from './program-function.js';

export interface WebApiLambdaProps extends Pick<ProgramFunctionProps, 'bundle' | 'environment' | 'networking'> {
  domainName: string;
  certificateArn: string;
}

/** The API as a Lambda function behind an HTTP API that forwards every path. */
export class WebApiLambda extends Construct {
  readonly program: ProgramFunction;
  readonly fn: LambdaFunction;
  readonly role: IRole;
  readonly group: SecurityGroup | undefined;
  /** Target of the DNS record. */
  readonly recordTarget: IAliasRecordTarget;

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
    const api = new HttpApi(this, 'Api', {
      description: 'ReefGuide: the web API',
      createDefaultStage: false,
      // Closes the default address, so that all requests use our domain name.
      disableExecuteApiEndpoint: true,
      defaultIntegration: new HttpLambdaIntegration('Integration', this.fn),
    });
    acknowledge(api, 'The program authenticates each request; some paths are public.', 'APIG4');
    const logs = new LogGroup(this, 'AccessLogs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 500, burstLimit: 1000 },
      accessLogSettings: { destination: new LogGroupLogDestination(logs) },
    });
    const domain = new DomainName(this, 'Domain', {
      domainName: props.domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    new ApiMapping(this, 'Mapping', { api, domainName: domain, stage });
    this.recordTarget = new ApiGatewayv2DomainProperties(domain.regionalDomainName, domain.regionalHostedZoneId);
  }
}
