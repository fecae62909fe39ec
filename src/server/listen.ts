import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SetupError } from '../contract/errors.js';

export interface Listening {
  url: string;
  port: number;
  /** Stops accepting, lets requests in flight end (10 s at most less what the rest needs), then resolves. */
  close(): Promise<void>;
}

/** Longer than the idle time-out of a load balancer (60 s), so that it is the balancer which closes first. */
const keepAliveMs = 65_000;
const closeWithinMs = 8_000;

/** Takes over the connection of a request that asks for another protocol, and ends it when the server stops. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Listens on loopback unless told otherwise. A port in use is one clear error. */
export async function listen(
  app: RequestListener,
  port: number,
  host = '127.0.0.1',
  upgrade?: Upgrade,
): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, app);
  const inFlight = watchConnections(server);
  if (upgrade) server.on('upgrade', upgrade);
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
    close: () => closeServer(server, inFlight),
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

/** How many requests each connection has in flight: those with none are closed at once when the server closes. */
function watchConnections(server: Server): Map<Socket, number> {
  const inFlight = new Map<Socket, number>();
  const change = (socket: Socket, by: number) => {
    if (inFlight.has(socket)) inFlight.set(socket, (inFlight.get(socket) ?? 0) + by);
    if (!server.listening && inFlight.get(socket) === 0) socket.destroySoon();
  };
  server.on('connection', (socket) => {
    inFlight.set(socket, 0);
    socket.once('close', () => inFlight.delete(socket));
  });
  server.on('upgrade', ({ socket }) => inFlight.delete(socket));
  server.on('request', ({ socket }, response) => {
    change(socket, 1);
    response.once('close', () => change(socket, -1));
  });
  return inFlight;
}

async function closeServer(server: Server, inFlight: ReadonlyMap<Socket, number>): Promise<void> {
  const force = setTimeout(() => server.closeAllConnections(), closeWithinMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const [socket, requests] of inFlight) if (requests === 0) socket.destroy();
    });
  } finally {
    clearTimeout(force);
  }
}
