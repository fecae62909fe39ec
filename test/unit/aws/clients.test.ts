import { createServer, type Server } from 'node:http';
import { PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { awsEnvironment } from '../../support/fakes/aws.js';

const before = { ...process.env };
let server: Server;
let asked: string[];
let address: string;
beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  address = `127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
  // What is said for all of AWS is not said for the sockets, which have an address of their own.
  Object.assign(process.env, awsEnvironment('http://127.0.0.1:1'));
});
afterEach(async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  process.env = { ...before };
});

describe('apiGatewayManagement', () => {
  it('writes to connections of the WebSocket API whose address it gets', async () => {
    const aws = createAws();
    const client = await aws.apiGatewayManagement(`ws://${address}/live`);
    await client.send(new PostToConnectionCommand({ ConnectionId: 'a=', Data: Buffer.from('hello') }));
    expect(asked).toEqual(['POST /live/@connections/a%3D']);
    await aws.reset();
  });

  it('has one client for each address, and new ones after a reset', async () => {
    const aws = createAws();
    const first = await aws.apiGatewayManagement('wss://one.example.com/live');
    expect(await aws.apiGatewayManagement('https://one.example.com/live')).toBe(first);
    expect(await aws.apiGatewayManagement('wss://other.example.com/live')).not.toBe(first);
    await aws.reset();
    expect(await aws.apiGatewayManagement('wss://one.example.com/live')).not.toBe(first);
    await aws.reset();
  });
});
