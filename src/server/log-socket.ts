import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { DisconnectReason } from '../contract/executions.js';
import { socketPath } from '../contract/paths.js';
import { isDatabaseUnavailable } from '../database/errors.js';
import type { Feeds } from '../executions/logs/feed.js';
import type { LogStore } from '../executions/logs/store.js';
import type { LogTokens } from '../executions/logs/tokens.js';
import type { Upgrade } from './http/listen.js';

/** More than this waits for nobody: the rest stays in the database until it has gone out. */
const roomBytes = 262_144;
/** A subscriber that does not take what waits for it within this time is told that it is too slow. */
const defaultStalledMs = 10_000;
/** Below the idle time-out of a load balancer (60 s). */
const pingEveryMs = 25_000;
/** A subscriber says nothing that we would have to read. */
const maxMessageBytes = 4_096;
const goodbyeMs = 2_000;

/** Requests name a path alone. */
const base = 'http://localhost';

const closeCodes: Record<DisconnectReason, number> = {
  execution_completed: 1000,
  server_stopping: 1001,
  slow_consumer: 1013,
};

export interface LiveLogs {
  upgrade: Upgrade;
  close(): void;
}

export interface LiveLogsDependencies {
  feeds: Feeds;
  logs: Pick<LogStore, 'placeOf'>;
  tokens: Pick<LogTokens, 'take'>;
  log: Logger;
  stalledMs?: number;
}

/** The WebSocket of executions' logs. Who holds a token may listen to its execution, once. */
export function createLiveLogs(deps: LiveLogsDependencies): LiveLogs {
  const { feeds, logs, tokens, log, stalledMs = defaultStalledMs } = deps;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    autoPong: false,
  });

  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const address = request.url ?? '';
    const url = URL.canParse(address, base) ? new URL(address, base) : undefined;
    if (url?.pathname !== socketPath) return refuse(socket, 404, 'There is no WebSocket at this path');
    const executionId = await tokens.take(url.searchParams.get('token') ?? '');
    if (executionId === undefined) {
      return refuse(socket, 401, 'The token was used, has ended, or never was: GET the logs again for another');
    }
    const after = url.searchParams.get('last_event_id');
    // The database would refuse to look for a NUL.
    const place = after === null ? 0 : after.includes('\0') ? undefined : await logs.placeOf(executionId, after);
    if (place === undefined) return refuse(socket, 400, 'last_event_id is no event of this execution');
    sockets.handleUpgrade(request, socket, head, (ws) => serve(ws, socket, executionId, place));
  };

  const serve = (ws: WebSocket, socket: Duplex, executionId: string, place: number): void => {
    let isAlive = true;
    const ping = setInterval(() => {
      if (!isAlive) ws.terminate();
      isAlive = false;
      ws.ping();
    }, pingEveryMs);
    ws.on('pong', () => {
      isAlive = true;
    });
    // Who asks without reading the answers would have them pile up here.
    ws.on('ping', (data) => (ws.bufferedAmount > roomBytes ? ws.terminate() : ws.pong(data)));
    ws.on('error', () => ws.terminate());
    const leave = feeds.subscribe(executionId, place, {
      send: (bytes) => socket.write(bytes),
      ready: () => hasRoom(ws, socket, stalledMs),
      end(reason) {
        if (ws.readyState === ws.OPEN) ws.send(JSON.stringify({ type: 'disconnect', reason }));
        ws.close(closeCodes[reason], reason);
        setTimeout(() => ws.terminate(), reason === 'server_stopping' ? goodbyeMs : stalledMs).unref();
      },
    });
    ws.once('close', () => {
      clearInterval(ping);
      leave();
    });
  };

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      accept(request, socket, head).catch((error: unknown) => {
        if (isDatabaseUnavailable(error)) return refuse(socket, 503, 'The database does not answer: try again shortly');
        log.error({ err: error }, 'a WebSocket could not be opened');
        refuse(socket, 500, 'Something went wrong on our side');
      });
    },
    close() {
      feeds.close();
      setTimeout(() => {
        for (const ws of sockets.clients) ws.terminate();
      }, goodbyeMs).unref();
    },
  };
}

/** Answers a request for a WebSocket as HTTP would, in the form of errors under /api/v1. */
function refuse(socket: Duplex, status: number, error: string): void {
  const body = JSON.stringify({ error });
  // Who never closes its side would keep the connection.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${statusTexts[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const statusTexts: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Waits until little waits to be sent; false when nothing went out for a while, or the subscriber has gone. */
async function hasRoom(ws: WebSocket, socket: Duplex, stalledMs: number): Promise<boolean> {
  while (ws.bufferedAmount > roomBytes) {
    const before = ws.bufferedAmount;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        for (const event of ['drain', 'close']) socket.off(event, done);
        resolve();
      };
      const timer = setTimeout(done, stalledMs);
      for (const event of ['drain', 'close']) socket.once(event, done);
    });
    if (ws.readyState !== ws.OPEN || ws.bufferedAmount >= before) return false;
  }
  return ws.readyState === ws.OPEN;
}
