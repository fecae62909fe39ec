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
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.js';
import { ProgramFunction, type ProgramFunctionProps } from './program-function.js';

export interface WebApiLambdaProps extends Pick<ProgramFunctionProps, 'bundle' | 'environment' | 'networking'> {
  domainName: string;
  certificateArn: string;
}

/** The API as a Lambda function behind an HTTP API, which passes every path on. */
export class WebApiLambda extends Construct {
  readonly program: ProgramFunction;
  readonly fn: LambdaFunction;
  readonly domain: DomainName;

  constructor(scope: Construct, id: string, props: WebApiLambdaProps) {
    super(scope, id);
    this.program = new ProgramFunction(this, 'Program', {
      ...props,
      description: 'ReefGuide: the web API',
      handler: 'dist/server/lambda.handler',
      memoryMiB: 1024,
      // API Gateway gives up after 30 s.
      timeoutSeconds: 30,
    });
    this.fn = this.program.fn;
    const api = new HttpApi(this, 'Api', {
      description: 'ReefGuide: the web API',
      createDefaultStage: false,
      // The way past our domain name stays shut.
      disableExecuteApiEndpoint: true,
      defaultIntegration: new HttpLambdaIntegration('Integration', this.fn),
    });
    acknowledge(api, 'The program authenticates each request itself; some paths are public.', 'APIG4');
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
    this.domain = new DomainName(this, 'Domain', {
      domainName: props.domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    new ApiMapping(this, 'Mapping', { api, domainName: this.domain, stage });
  }
}
