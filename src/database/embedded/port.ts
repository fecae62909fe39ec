import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { errorCode } from '../../platform/system-errors.js';

/** Returns the same port for the same home, from 15,000 to 29,999: below the ports of outgoing connections. */
export const toPreferredPort = (home: string): number =>
  15_000 + (createHash('sha256').update(home).digest().readUInt16BE(0) % 15_000);

/** Binds and closes a port of 127.0.0.1. Returns the port, or undefined for a port in use. 0 chooses a free port. */
function probePort(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE' || errorCode(error) === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

/** Returns the first free port of `preferred`, else any. Another program can take the port before Postgres does. */
export async function choosePort(preferred: readonly number[]): Promise<number> {
  for (const port of [...preferred, 0]) {
    const free = await probePort(port);
    if (free !== undefined) return free;
  }
  throw new Error('The system has no free port');
}
