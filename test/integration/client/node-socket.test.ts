import { afterEach, describe, expect, it } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { socketMessages } from '../../../src/client/node-socket.js';
import { until } from '../../support/until.js';

let server: WebSocketServer | undefined;
afterEach(async () => {
  const closing = server;
  server = undefined;
  for (const client of closing?.clients ?? []) client.terminate();
  if (closing) await new Promise((resolve) => closing.close(resolve));
});

/** Starts a server and returns the address. `connected` runs for each connection. */
async function serve(connected: (socket: WebSocket) => void, options: { autoPong?: boolean } = {}): Promise<string> {
  const started = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server = started;
  started.on('connection', connected);
  await new Promise((resolve) => started.once('listening', resolve));
  const address = started.address();
  return `ws://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}
const log = { type: 'log', event_id: 'a', timestamp: 1, message: 'text' };
async function all(messages: AsyncGenerator<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const message of messages) seen.push(message);
  return seen;
}

describe('socketMessages', () => {
  it('yields supported messages and skips others until the socket closes', async () => {
    const url = await serve((socket) => {
      for (const message of [log, { type: 'hello' }, 17, null, { type: 'disconnect', reason: 'new' }])
        socket.send(JSON.stringify(message));
      socket.close();
    });
    expect(await all(socketMessages(url))).toEqual([log, { type: 'disconnect', reason: 'new' }]);
  });

  it.each([['no JSON'], ['{"type":"log","event_id":"a"}']])(
    'throws at %s, because a line must not get lost',
    async (text) => {
      const url = await serve((socket) => socket.send(text));
      await expect(all(socketMessages(url))).rejects.toThrow();
      await until(() => server?.clients.size === 0);
    },
  );

  it('throws when the socket cannot be opened', async () => {
    await expect(all(socketMessages('ws://127.0.0.1:1'))).rejects.toThrow('ECONNREFUSED');
  });

  it('ends when the other side answers no ping', async () => {
    const url = await serve(() => {}, { autoPong: false });
    expect(await all(socketMessages(url, undefined, 20))).toEqual([]);
  });

  it('keeps a quiet socket open while the other side answers pings', async () => {
    let pings = 0;
    const url = await serve((socket) =>
      socket.on('ping', () => {
        pings += 1;
        if (pings < 4) return;
        socket.send(JSON.stringify(log));
        socket.close();
      }),
    );
    expect(await all(socketMessages(url, undefined, 200))).toEqual([log]);
  });
});
