import { on } from 'node:events';
import { z } from 'zod';
import { logEvent } from '../contract/executions.js';

const message = z.discriminatedUnion('type', [
  logEvent.extend({ type: z.literal('log') }),
  z.object({ type: z.literal('disconnect'), reason: z.string() }),
]);
type Message = z.infer<typeof message>;
/** Messages of other types are skipped, because a later server may send some. */
const supported = z.object({ type: z.enum(['log', 'disconnect']) });

/**
 * Yields the messages of one WebSocket until the socket closes. Throws when the socket cannot be opened or breaks, and when
 * `signal` aborts. A slow reader slows the sender down: the socket pauses while messages wait. A connection without a
 * message or an answer to a ping for `pingIntervalMs` is closed.
 */
export async function* socketMessages(
  url: string,
  signal?: AbortSignal,
  pingIntervalMs = 30_000,
): AsyncGenerator<Message> {
  const { WebSocket } = await import('ws');
  signal?.throwIfAborted();
  const socket = new WebSocket(url, { handshakeTimeout: 10_000, maxPayload: 4 * 2 ** 20, perMessageDeflate: false });
  const limits = { highWaterMark: 1000, lowWaterMark: 500 };
  const messages = on(socket, 'message', { close: ['close'], ...limits, ...(signal ? { signal } : {}) });
  // Errors may come after the last read, for example the error of closing a socket before it is open.
  socket.on('error', () => {});
  let isAlive = true;
  const markAlive = () => {
    isAlive = true;
  };
  for (const event of ['message', 'ping', 'pong'] as const) socket.on(event, markAlive);
  // The client speaks first, because API Gateway cannot send before the connection is open.
  socket.once('open', () => socket.send('{"type":"ready"}'));
  const pings = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN || socket.isPaused) return;
    if (!isAlive) socket.terminate();
    else socket.ping();
    isAlive = false;
  }, pingIntervalMs);
  try {
    for await (const [data] of messages) {
      const content: unknown = JSON.parse(String(data));
      if (supported.safeParse(content).success) yield message.parse(content);
    }
  } finally {
    clearInterval(pings);
    socket.terminate();
  }
}
