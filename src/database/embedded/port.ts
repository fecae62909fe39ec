import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { errorCode } from './errors.js';

/** Below the ports that systems give to outgoing connections, so that it is still free the next time. */
export function toPreferredPort(home: string): number {
  return 15_000 + (createHash('sha256').update(home).digest().readUInt16BE(0) % 15_000);
}

/** Binds and lets go again: the port, or undefined when somebody else has it. 0 picks a free one. */
function tryPort(port: number): Promise<number | undefined> {
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

/** The first of `preferred` that is free, else one that the system chooses. It can be taken before Postgres binds it. */
export async function choosePort(preferred: readonly number[]): Promise<number> {
  for (const port of [...preferred, 0]) {
    const free = await tryPort(port);
    if (free !== undefined) return free;
  }
  throw new Error('The system has no free port.');
}
