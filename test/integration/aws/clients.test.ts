import { createServer, type Server } from 'node:http';
import { PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { awsEnvironment } from '../../support/fakes/aws.js';

const originalEnv = { ...process.env };
let server: Server;
let requests: string[];
let address: string;
beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  address = `127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
  // WebSockets have an endpoint of their own, so AWS_ENDPOINT_URL must not count for them.
  Object.assign(process.env, awsEnvironment('http://127.0.0.1:1'));
});
afterEach(async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  process.env = { ...originalEnv };
});

describe('Aws.apiGatewayManagement', () => {
  it('writes to connections of the WebSocket API at the address', async () => {
    const aws = createAws();
    const client = await aws.apiGatewayManagement(`ws://${address}/live`);
    await client.send(new PostToConnectionCommand({ ConnectionId: 'a=', Data: Buffer.from('hello') }));
    expect(requests).toEqual(['POST /live/@connections/a%3D']);
    await aws.reset();
  });

  it('makes one client for each address, and new clients after a reset', async () => {
    const aws = createAws();
    const first = await aws.apiGatewayManagement('wss://one.example.com/live');
    expect(await aws.apiGatewayManagement('https://one.example.com/live')).toBe(first);
    expect(await aws.apiGatewayManagement('wss://other.example.com/live')).not.toBe(first);
    await aws.reset();
    expect(await aws.apiGatewayManagement('wss://one.example.com/live')).not.toBe(first);
    await aws.reset();
  });
});
