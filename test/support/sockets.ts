import { WebSocket } from 'ws';
import type { LogMessage } from '../../src/contract/executions.js';

export interface Listener {
  messages: LogMessage[];
  /** Returns the texts of the log messages. */
  lines(): string[];
  /** Code and reason of the close; the HTTP status when the socket never opened. */
  closed: Promise<{ code: number; reason: string }>;
  socket: WebSocket;
}

/** Subscribes to logs as any WebSocket client does. */
export function listenTo(url: string): Listener {
  const socket = new WebSocket(url);
  const messages: LogMessage[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('unexpected-response', (_, response) => {
      resolve({ code: response.statusCode ?? 0, reason: 'not opened' });
      response.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  return {
    messages,
    lines: () => messages.flatMap((message) => (message.type === 'log' ? [message.message] : [])),
    closed,
    socket,
  };
}
