import { on } from 'node:events';
import { z } from 'zod';
import { logEvent } from '../contract/executions.js';

const message = z.discriminatedUnion('type', [
  logEvent.extend({ type: z.literal('log') }),
  z.object({ type: z.literal('disconnect'), reason: z.string() }),
]);
type Message = z.infer<typeof message>;
/** Messages of other types may come one day, and are none of ours. */
const known = z.object({ type: z.enum(['log', 'disconnect']) });

/**
 * What one WebSocket sends until it closes. Throws when it cannot be opened or breaks, and when `signal` aborts. A
 * reader that is slow slows the sender down: the socket pauses while messages wait to be read. A connection that has
 * shown no sign of life for `beatMs`, although it was asked for one, is closed.
 */
export async function* socketMessages(url: string, signal?: AbortSignal, beatMs = 30_000): AsyncGenerator<Message> {
  const { WebSocket } = await import('ws');
  signal?.throwIfAborted();
  const socket = new WebSocket(url, { handshakeTimeout: 10_000, maxPayload: 4 * 2 ** 20, perMessageDeflate: false });
  const messages = on(socket, 'message', {
    close: ['close'],
    highWaterMark: 1000,
    lowWaterMark: 500,
    ...(signal ? { signal } : {}),
  });
  // For errors that come when nobody reads any more, such as that of ending it before it is open.
  socket.on('error', () => {});
  let alive = true;
  for (const sign of ['message', 'ping', 'pong'] as const) {
    socket.on(sign, () => {
      alive = true;
    });
  }
  socket.once('open', () => socket.send('{"type":"ready"}'));
  const beat = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN || socket.isPaused) return;
    if (!alive) socket.terminate();
    else socket.ping();
    alive = false;
  }, beatMs);
  try {
    for await (const [data] of messages) {
      const content: unknown = JSON.parse(String(data));
      if (known.safeParse(content).success) yield message.parse(content);
    }
  } finally {
    clearInterval(beat);
    socket.terminate();
  }
}
