import type { Aws } from './clients.js';
import { AwsError, callAws } from './errors.js';

export class ApiGatewaySockets {
  /** `endpoint` replaces the endpoint of every connection, for example behind a custom domain. */
  constructor(
    private readonly aws: Pick<Aws, 'apiGatewayManagement'>,
    private readonly endpoint: string | undefined,
  ) {}

  /** Returns false when the connection no longer exists. */
  async send(endpoint: string, connectionId: string, text: string): Promise<boolean> {
    const { PostToConnectionCommand } = await import('@aws-sdk/client-apigatewaymanagementapi');
    const client = await this.aws.apiGatewayManagement(this.endpoint ?? endpoint);
    const command = new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(text) });
    return isConnected(connectionId, () => client.send(command));
  }

  /** Closes a connection; does nothing when the connection no longer exists. */
  async close(endpoint: string, connectionId: string): Promise<void> {
    const { DeleteConnectionCommand } = await import('@aws-sdk/client-apigatewaymanagementapi');
    const client = await this.aws.apiGatewayManagement(this.endpoint ?? endpoint);
    await isConnected(connectionId, () => client.send(new DeleteConnectionCommand({ ConnectionId: connectionId })));
  }
}

async function isConnected(connectionId: string, send: () => Promise<unknown>): Promise<boolean> {
  try {
    await callAws({ action: 'execute-api:ManageConnections', resource: `connection ${connectionId}` }, send);
    return true;
  } catch (error) {
    if (error instanceof AwsError && (error.code === 'GoneException' || error.status === 410)) return false;
    throw error;
  }
}
