import { once } from 'node:events';
import net from 'node:net';

/** Forwards TCP connections, and can cut or refuse connections like a broken network. */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** Returns the number of open connections. */
  connections(): number;
  /** Cuts every connection, and still accepts new connections. */
  cut(): void;
  /** Cuts every connection, and refuses new connections. */
  refuse(): Promise<void>;
  /** Accepts connections again, on the same port. */
  allow(): Promise<void>;
  close(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const host = '127.0.0.1';
  const sockets = new Set<net.Socket>();
  const forward = (client: net.Socket) => {
    const server = net.connect(target.port, target.host);
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.pipe(server);
    server.pipe(client);
  };
  let server = net.createServer(forward).listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  };
  const refuse = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  };
  return {
    host,
    port,
    connections: () => sockets.size / 2,
    cut,
    refuse,
    async allow() {
      if (server.listening) return;
      server = net.createServer(forward).listen(port, host);
      await once(server, 'listening');
    },
    close: refuse,
  };
}
