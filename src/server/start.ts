import { type Assembled, type AssembleOptions, assemble } from './assemble.js';
import { type Listening, listen } from './http/listen.js';

export interface StartOptions extends AssembleOptions {
  host?: string | undefined;
  /** Ports that serve the API; 0 picks a free port. */
  apiPorts: readonly number[];
  processorPort?: number | undefined;
}

export interface RunningServer extends Pick<Assembled, 'credentials' | 'databaseUrl'> {
  api: Listening[];
  processor: Listening | undefined;
  /** Accepts no more connections, answers the requests in flight and closes the database, within 10 s. */
  stop(): Promise<void>;
}

/** Assembles the server and serves the API and, with `processorPort`, the event processor on ports of this machine. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
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
      // Without a token the processor listens on loopback alone.
      const processorHost = environment.PROCESSOR_TOKEN === undefined ? '127.0.0.1' : host;
      processor = await listen(service.processor, options.processorPort, processorHost);
      servers.push(processor);
    }
    return { api, processor, credentials, databaseUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
