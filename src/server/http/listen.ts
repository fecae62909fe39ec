import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SetupError } from '../../contract/errors.js';

export interface Listening {
  url: string;
  port: number;
  /** Stops accepting, lets requests in flight end (10 s at most less what the rest needs), then resolves. */
  close(): Promise<void>;
}

/** Longer than the idle time-out of a load balancer (60 s), so that it is the balancer which closes first. */
const keepAliveMs = 65_000;
const defaultCloseWithinMs = 8_000;

/** Takes over the connection of a request that asks for another protocol, and ends it when the server stops. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Listens on loopback unless told otherwise. A port in use is one clear error. */
export async function listen(
  app: RequestListener,
  port: number,
  host = '127.0.0.1',
  upgrade?: Upgrade,
  closeWithinMs = defaultCloseWithinMs,
): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, app);
  const connections = watchConnections(server);
  server.on('upgrade', (request, socket, head) => {
    if (upgrade && request.headers.upgrade?.toLowerCase() === 'websocket') upgrade(request, socket, head);
    else serveAsItIs(server, request, socket, head);
  });
  // Uploads of results take as long as they take; headers do not.
  server.requestTimeout = 0;
  server.headersTimeout = 20_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, port, host)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return {
    url: `http://${shown.includes(':') ? `[${shown}]` : shown}:${bound}`,
    port: bound,
    close: () => closeServer(server, connections, closeWithinMs),
  };
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): SetupError {
  if (error.code === 'EADDRINUSE') {
    return new SetupError(`Port ${port} on ${host} is in use`, {
      hint: 'Stop the program that has it, or choose another port.',
      cause: error,
    });
  }
  if (error.code === 'EACCES') {
    return new SetupError(`Port ${port} needs more rights than this user has`, {
      hint: 'Choose a port above 1023.',
      cause: error,
    });
  }
  return new SetupError(`Cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
}

/**
 * Serves a request for a protocol that nobody speaks here as what it is: one of HTTP/1.1, to which its client is prepared
 * (`curl --http2` and Java's HttpClient ask for h2c with whatever they send).
 */
function serveAsItIs(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let n = 0; n < rawHeaders.length; n += 2)
    if (rawHeaders[n]?.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[n]}: ${rawHeaders[n + 1]}`);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

interface Connections {
  /** How many requests each has in flight: those with none are closed at once when the server closes. */
  inFlight: ReadonlyMap<Socket, number>;
  /** Those that were handed over: the server knows of them no more, yet waits for them when it closes. */
  upgraded: ReadonlySet<Socket>;
}

function watchConnections(server: Server): Connections {
  const inFlight = new Map<Socket, number>();
  const upgraded = new Set<Socket>();
  const change = (socket: Socket, by: number) => {
    if (inFlight.has(socket)) inFlight.set(socket, (inFlight.get(socket) ?? 0) + by);
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
    change(socket, 1);
    response.once('close', () => change(socket, -1));
  });
  return { inFlight, upgraded };
}

async function closeServer(server: Server, { inFlight, upgraded }: Connections, withinMs: number): Promise<void> {
  const force = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  }, withinMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const [socket, requests] of inFlight) if (requests === 0) socket.destroy();
    });
  } finally {
    clearTimeout(force);
  }
}
