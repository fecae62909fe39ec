import type { LocalCredentials } from '../accounts/local-credentials.js';
import { type AssembleOptions, assemble } from './assemble.js';
import { type Listening, listen } from './http/listen.js';

export interface StartOptions extends AssembleOptions {
  host?: string | undefined;
  /** Ports that serve the API; 0 picks a free one. */
  apiPorts: readonly number[];
  processorPort?: number | undefined;
}

export interface Started {
  api: Listening[];
  processor: Listening | undefined;
  /** The accounts of the local system, when it made them. */
  credentials: LocalCredentials | undefined;
  databaseUrl: string;
  /** Stops accepting, answers what waits, ends what is in flight, closes the database; within 10 s. */
  stop(): Promise<void>;
}

/** Runs the API, and if asked the event processor, on ports of this machine. */
export async function startServer(options: StartOptions): Promise<Started> {
  const { host, environment } = options;
  const { service, credentials, databaseUrl, close } = await assemble(options);
  const servers: Listening[] = [];
  const stop = async () => {
    service.drain();
    await Promise.all(servers.map((server) => server.close()));
    await close();
  };
  try {
    options.onStep?.('listening');
    for (const port of options.apiPorts) servers.push(await listen(service.api, port, host, service.upgrade));
    const api = [...servers];
    let processor: Listening | undefined;
    if (options.processorPort !== undefined) {
      const open = environment.PROCESSOR_TOKEN !== undefined;
      processor = await listen(service.processor, options.processorPort, open ? host : '127.0.0.1');
      servers.push(processor);
    }
    return { api, processor, credentials, databaseUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
