import { Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as integrations from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledge, allow } from '../nag.js';

const stageName = 'live';

/**
 * WebSockets of a web API on Lambda. API Gateway keeps connections open between invocations, reports connects and disconnects
 * to the event processor, and forwards posted messages. In a container, the server accepts WebSockets itself.
 */
export class LogSocket extends Construct {
  /** Variables of the API and the event processor. */
  readonly environment: Record<string, string>;
  private readonly api: apigateway.WebSocketApi;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.api = new apigateway.WebSocketApi(this, 'Api', { description: 'ReefGuide: live logs of executions' });
    const stage = new apigateway.WebSocketStage(this, 'Stage', {
      webSocketApi: this.api,
      stageName,
      autoDeploy: true,
      throttle: { rateLimit: 200, burstLimit: 400 },
    });
    acknowledge(stage, {
      APIG1:
        'An access log of WebSockets needs a role in the settings of the whole account. The event processor logs connections.',
    });
    this.environment = { WEBSOCKET_API_ENDPOINT: `${this.api.apiEndpoint}/${stageName}` };
  }

  /** Sends every event of a connection to a function. */
  connectTo(fn: lambda.IFunction): void {
    const integration = new integrations.WebSocketLambdaIntegration('Integration', fn);
    const routes = ['$connect', '$disconnect', '$default'].map((key) => this.api.addRoute(key, { integration }));
    for (const route of routes)
      acknowledge(route, { APIG4: 'The program checks the one-time token of each connection.' });
  }

  /** Allows a program to write to connections and to close them. */
  allowSending(role: iam.IRole): void {
    const { account, region } = Stack.of(this);
    allow(role, {
      actions: ['execute-api:ManageConnections'],
      resources: [`arn:aws:execute-api:${region}:${account}:${this.api.apiId}/${stageName}/*/@connections/*`],
      why: 'The id of a connection is unknown before the client connects.',
    });
  }
}
