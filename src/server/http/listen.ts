import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SetupError } from '../../contract/errors.js';

export interface Listening {
  url: string;
  port: number;
  /** Accepts no more connections, waits for the requests in flight (8 s unless set), then closes every connection. */
  close(): Promise<void>;
}

/** Above the idle time-out of a load balancer (60 s), because the load balancer must close an idle connection first. */
const keepAliveMs = 65_000;
const headersTimeoutMs = 20_000;
/** A stop takes at most 10 s, 2 s of which remain for recording the ends of commands. */
const defaultCloseTimeoutMs = 8_000;

/** Takes over the connection of a WebSocket request. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Serves `app` on a port, 0 for a free port. Throws a SetupError for a port in use or without permission. */
export async function listen(
  app: RequestListener,
  port: number,
  host = '127.0.0.1',
  upgrade?: Upgrade,
  closeTimeoutMs = defaultCloseTimeoutMs,
): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, app);
  const connections = watchConnections(server);
  server.on('upgrade', (request, socket, head) => {
    if (upgrade && request.headers.upgrade?.toLowerCase() === 'websocket') upgrade(request, socket, head);
    else serveWithoutUpgrade(server, request, socket, head);
  });
  // An upload of a result may take hours; the headers of a request may not.
  server.requestTimeout = 0;
  server.headersTimeout = headersTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(toSetupError(error, port, host)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const boundPort = typeof address === 'object' && address ? address.port : port;
  const url = toUrl(host, boundPort);
  return { url, port: boundPort, close: () => closeServer(server, connections, closeTimeoutMs) };
}

/** `0.0.0.0`, 5000 → `http://localhost:5000`; `::1`, 5000 → `http://[::1]:5000`. */
function toUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function toSetupError(error: NodeJS.ErrnoException, port: number, host: string): SetupError {
  if (error.code === 'EADDRINUSE') {
    const hint = 'Stop the program that uses the port, or choose another port.';
    return new SetupError(`Port ${port} on ${host} is in use`, { hint, cause: error });
  }
  if (error.code === 'EACCES') {
    const hint = 'Choose a port above 1023.';
    return new SetupError(`This user may not listen on port ${port}`, { hint, cause: error });
  }
  return new SetupError(`Cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
}

/** Serves a request for an unsupported protocol as HTTP/1.1: Java's HttpClient, for example, always asks for `h2c`. */
function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let n = 0; n < rawHeaders.length; n += 2)
    if (rawHeaders[n]?.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[n]}: ${rawHeaders[n + 1]}`);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

interface Connections {
  /** Requests in flight by connection. Idle connections are destroyed at once when the server closes. */
  inFlight: ReadonlyMap<Socket, number>;
  /** Connections handed over to an upgrade: the server waits for their ends, until its close times out. */
  upgraded: ReadonlySet<Socket>;
}

function watchConnections(server: Server): Connections {
  const inFlight = new Map<Socket, number>();
  const upgraded = new Set<Socket>();
  const addRequests = (socket: Socket, change: 1 | -1) => {
    const requests = inFlight.get(socket);
    if (requests !== undefined) inFlight.set(socket, requests + change);
    if (!server.listening && inFlight.get(socket) === 0) socket.destroySoon();
  };
  server.on('connection', (socket) => {
    inFlight.set(socket, 0);
    upgraded.delete(socket);
    socket.once('close', () => {
      inFlight.delete(socket);
      upgraded.delete(socket);
    });
  });
  server.on('upgrade', ({ socket }) => {
    inFlight.delete(socket);
    upgraded.add(socket);
  });
  server.on('request', ({ socket }, response) => {
    addRequests(socket, 1);
    response.once('close', () => addRequests(socket, -1));
  });
  return { inFlight, upgraded };
}

async function closeServer(server: Server, { inFlight, upgraded }: Connections, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  }, timeoutMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const [socket, requests] of inFlight) if (requests === 0) socket.destroy();
    });
  } finally {
    clearTimeout(timer);
  }
}
