import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Listening, listen, type Upgrade } from '../../../../src/server/http/listen.js';
import { until } from '../../../support/until.js';

const servers: Listening[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Answers with method, path, the header `X-More` and the body. */
const echo = async (request: IncomingMessage, response: ServerResponse) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  response.end(`<${request.method} ${request.url} ${request.headers['x-more'] ?? ''} ${body}>`);
};
const start = async (upgrade?: Upgrade, closeTimeoutMs?: number) => {
  const server = await listen(echo, 0, undefined, upgrade, closeTimeoutMs);
  servers.push(server);
  return server;
};
const open = (server: Listening) => {
  const socket = connect(server.port, '127.0.0.1');
  const state = { text: '', isClosed: false };
  socket.on('data', (chunk) => {
    state.text += chunk;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    state.isClosed = true;
  });
  return { socket, state };
};
const h2c = 'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

describe('a request for an unsupported protocol', () => {
  it.each([
    ['h2c, where WebSockets are served', () => {}, h2c],
    ['h2c, where no WebSockets are served', undefined, h2c],
    ['websocket, where no WebSockets are served', undefined, h2c.replace('h2c', 'websocket')],
  ])('(%s) is answered as plain HTTP with its body, and so is the next request', async (_, upgrade, headers) => {
    const { socket, state } = open(await start(upgrade));
    socket.write(`POST /a HTTP/1.1\r\n${headers}X-More: b\r\nContent-Length: 9\r\n\r\nthe `);
    socket.write('body.');
    await until(() => state.text.includes('<POST /a b the body.>'));
    socket.write(`GET /c HTTP/1.1\r\n${headers}\r\n`);
    await until(() => state.text.includes('<GET /c  >'));
    socket.write('GET /d HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => state.text.includes('<GET /d  >'));
    expect(state.isClosed).toBe(false);
    socket.destroy();
  });

  it('does not delay the stop of the server', async () => {
    const server = await start(undefined, 3_600_000);
    const { socket, state } = open(server);
    socket.write(`GET /a HTTP/1.1\r\n${h2c}\r\n`);
    await until(() => state.text.includes('<GET /a  >'));
    await servers.pop()?.close();
    await until(() => state.isClosed);
    expect(state.isClosed).toBe(true);
  });
});

it('an upgraded connection: is closed after the close timeout', async () => {
  let isUpgraded = false;
  const server = await start(() => {
    isUpgraded = true;
  }, 50);
  const { socket, state } = open(server);
  socket.write(`GET /ws HTTP/1.1\r\n${h2c.replace('h2c', 'WebSocket')}\r\n`);
  await until(() => isUpgraded);
  await servers.pop()?.close();
  await until(() => state.isClosed);
  expect(state.isClosed).toBe(true);
});
