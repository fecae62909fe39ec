import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { DisconnectReason } from '../contract/executions.js';
import { socketPath } from '../contract/paths.js';
import { isDatabaseUnavailable } from '../database/errors.js';
import type { LogFeeds } from '../executions/logs/feed.js';
import type { LogStore } from '../executions/logs/store.js';
import type { LogTokens } from '../executions/logs/tokens.js';
import type { Upgrade } from './http/listen.js';

/** Most bytes in memory for one subscriber. Later lines stay in the database until the subscriber is ready. */
const maxBufferedBytes = 262_144;
/** Time without progress after which a subscriber is disconnected as too slow. */
const defaultStalledMs = 10_000;
/** Below the idle time-out of a load balancer (60 s). */
const pingIntervalMs = 25_000;
/** Subscribers send only pongs and close frames. */
const maxMessageBytes = 4_096;
/** Time for a subscriber to answer the close frame of a stopping server. */
const closeTimeoutMs = 2_000;

const closeCodes: Record<DisconnectReason, number> = {
  execution_completed: 1000,
  server_stopping: 1001,
  slow_consumer: 1013,
};

export interface LogSocketDependencies {
  feeds: LogFeeds;
  logs: Pick<LogStore, 'findPosition'>;
  tokens: Pick<LogTokens, 'redeem'>;
  log: Logger;
  stalledMs?: number;
}

/** The WebSocket of executions' logs, `/ws?token=log_…`. A token opens the log of one execution, once. */
export class LogSocket {
  private readonly sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    autoPong: false,
  });
  private readonly stalledMs: number;

  constructor(private readonly deps: LogSocketDependencies) {
    this.stalledMs = deps.stalledMs ?? defaultStalledMs;
  }

  /** Opens a WebSocket, or answers the request with an HTTP error. */
  readonly upgrade: Upgrade = (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    this.accept(request, socket, head).catch((error: unknown) => {
      if (isDatabaseUnavailable(error)) return refuse(socket, 503, 'The database does not answer: try again shortly');
      this.deps.log.error({ err: error }, 'a WebSocket could not be opened');
      refuse(socket, 500, 'Internal error: the server log has the cause');
    });
  };

  /** Announces the stop of the server to every subscriber, and closes the connections. */
  close(): void {
    this.deps.feeds.close();
    setTimeout(() => {
      for (const ws of this.sockets.clients) ws.terminate();
    }, closeTimeoutMs).unref();
  }

  private async accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = toUrl(request.url ?? '');
    if (url?.pathname !== socketPath) return refuse(socket, 404, 'No WebSocket at this path');
    const executionId = await this.deps.tokens.redeem(url.searchParams.get('token') ?? '');
    if (executionId === undefined)
      return refuse(socket, 401, 'Invalid token: used, expired or unknown. GET the logs again for a new token');
    const position = await this.readPosition(executionId, url.searchParams.get('last_event_id'));
    if (position === undefined)
      return refuse(socket, 400, 'Invalid last_event_id: expected the id of an event of this execution');
    this.sockets.handleUpgrade(request, socket, head, (ws) => this.serve(ws, socket, executionId, position));
  }

  /** Returns the position of an event; 0 without an event; undefined for an unknown event. */
  private async readPosition(executionId: string, eventId: string | null): Promise<number | undefined> {
    if (eventId === null) return 0;
    // Postgres refuses a text with a NUL character.
    return eventId.includes('\0') ? undefined : this.deps.logs.findPosition(executionId, eventId);
  }

  private serve(ws: WebSocket, socket: Duplex, executionId: string, position: number): void {
    const stopPinging = keepAlive(ws);
    // A client that pings without reading the pongs would fill the buffer.
    ws.on('ping', (data) => (ws.bufferedAmount > maxBufferedBytes ? ws.terminate() : ws.pong(data)));
    ws.on('error', () => ws.terminate());
    const unsubscribe = this.deps.feeds.subscribe(executionId, position, {
      send: (bytes) => socket.write(bytes),
      hasRoom: () => waitForRoom(ws, socket, this.stalledMs),
      end: (reason) => this.disconnect(ws, reason),
    });
    ws.once('close', () => {
      stopPinging();
      unsubscribe();
    });
  }

  private disconnect(ws: WebSocket, reason: DisconnectReason): void {
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify({ type: 'disconnect', reason }));
    ws.close(closeCodes[reason], reason);
    const timeoutMs = reason === 'server_stopping' ? closeTimeoutMs : this.stalledMs;
    setTimeout(() => ws.terminate(), timeoutMs).unref();
  }
}

/** Parses the target of a request, for example `/ws?token=log_1`; undefined when malformed. */
function toUrl(target: string): URL | undefined {
  const base = 'http://localhost';
  return URL.canParse(target, base) ? new URL(target, base) : undefined;
}

/** Pings a subscriber, and disconnects after a ping without an answer. */
function keepAlive(ws: WebSocket): () => void {
  let isAlive = true;
  const timer = setInterval(() => {
    if (!isAlive) ws.terminate();
    isAlive = false;
    ws.ping();
  }, pingIntervalMs);
  ws.on('pong', () => {
    isAlive = true;
  });
  return () => clearInterval(timer);
}

/** Answers a request for a WebSocket with an HTTP error, in the form of errors under `/api/v1`. */
function refuse(socket: Duplex, status: number, error: string): void {
  const body = JSON.stringify({ error });
  // A client that never closes its side would keep the connection.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Waits until the buffer of a subscriber has room. Returns false when no bytes went out for `stalledMs`, or after a close. */
async function waitForRoom(ws: WebSocket, socket: Duplex, stalledMs: number): Promise<boolean> {
  while (ws.bufferedAmount > maxBufferedBytes) {
    const before = ws.bufferedAmount;
    await waitForProgress(socket, stalledMs);
    if (ws.readyState !== ws.OPEN || ws.bufferedAmount >= before) return false;
  }
  return ws.readyState === ws.OPEN;
}

/** Resolves when the socket drains or closes, or after `timeoutMs`. */
function waitForProgress(socket: Duplex, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      for (const event of ['drain', 'close']) socket.off(event, finish);
      resolve();
    };
    const timer = setTimeout(finish, timeoutMs);
    for (const event of ['drain', 'close']) socket.once(event, finish);
  });
}
