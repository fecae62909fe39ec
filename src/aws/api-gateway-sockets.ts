import type { Aws } from './clients.js';
import { AwsError, callAws } from './errors.js';

/** The management API of API Gateway's WebSockets. `endpoint` set: of every connection, whatever its event said. */
export function createSocketGateway(aws: Pick<Aws, 'apiGatewayManagement'>, endpoint: string | undefined) {
  const call = async (given: string, resource: string, action: 'PostToConnection' | 'DeleteConnection', text = '') => {
    const { DeleteConnectionCommand, PostToConnectionCommand } = await import(
      '@aws-sdk/client-apigatewaymanagementapi'
    );
    const client = await aws.apiGatewayManagement(endpoint ?? given);
    try {
      await callAws({ action: 'execute-api:ManageConnections', resource: `connection ${resource}` }, () =>
        action === 'PostToConnection'
          ? client.send(new PostToConnectionCommand({ ConnectionId: resource, Data: Buffer.from(text) }))
          : client.send(new DeleteConnectionCommand({ ConnectionId: resource })),
      );
      return true;
    } catch (error) {
      if (error instanceof AwsError && (error.code === 'GoneException' || error.status === 410)) return false;
      throw error;
    }
  };
  return {
    /** false: the connection has gone. */
    send: (given: string, connectionId: string, text: string) => call(given, connectionId, 'PostToConnection', text),
    async close(given: string, connectionId: string): Promise<void> {
      await call(given, connectionId, 'DeleteConnection');
    },
  };
}
