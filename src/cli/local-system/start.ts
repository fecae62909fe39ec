import type { LocalCredentials } from '../../accounts/local-credentials.js';
import { SetupError } from '../../contract/errors.js';
import { ownIdentity } from '../../platform/processes.js';
import { type RunningServer, type StartOptions, startServer } from '../../server/start.js';
import {
  type LocalSystemFile,
  readLocalSystemFile,
  removeLocalSystemFile,
  writeLocalSystemFile,
} from '../api/local-system-file.js';
import { startMonitor } from '../capacity/monitor.js';
import { startLocalCapacity } from '../capacity/start-local.js';

export interface LocalSystemOptions
  extends Pick<StartOptions, 'environment' | 'home' | 'log' | 'requestLog' | 'onStep'> {
  env: NodeJS.ProcessEnv;
  port: number;
  orchestratorPort: number;
  processorPort: number;
  /** Undefined: no capacity manager. */
  workersFile: string | undefined;
}

export interface LocalSystem {
  endpoints: LocalSystemFile;
  credentials: LocalCredentials;
  groups: string[];
  stop(): Promise<void>;
}

const pollIntervalMs = 3_000;

/** Starts the whole system on this machine: database, API on two ports, event processor, capacity manager. */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const { home } = options;
  await throwIfRunning(home);
  const server = await startServer({
    ...options,
    apiPorts: [options.port, options.orchestratorPort],
    processorPort: options.processorPort,
  });
  const stops = [() => server.stop()];
  const stop = async () => {
    for (const stopPart of stops.splice(0).reverse()) await stopPart();
  };
  try {
    const { credentials, ...urls } = getEndpoints(server);
    const capacity = await startCapacity(options, urls, credentials, stops);
    const endpoints = { ...urls, capacity: capacity?.url ?? null, process: ownIdentity() };
    await writeLocalSystemFile(home, endpoints);
    stops.push(() => removeLocalSystemFile(home));
    return { endpoints, credentials, groups: capacity?.groups ?? [], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function throwIfRunning(home: string): Promise<void> {
  const running = await readLocalSystemFile(home);
  if (!running) return;
  throw new SetupError(`The local system runs already (process ${running.process.pid}, ${running.api})`, {
    hint: 'Stop it first, or set REEFGUIDE_HOME to another directory for a second one.',
  });
}

function getEndpoints({ api: [api, orchestrator], processor, credentials }: RunningServer) {
  if (!api || !orchestrator || !processor) throw new Error('the server listens on fewer ports than requested');
  if (!credentials)
    throw new SetupError('`reefguide dev` runs its own database, but DATABASE_URL is set', {
      hint: 'Unset DATABASE_URL, or run `reefguide serve` and `reefguide capacity run` with that database.',
    });
  return { api: api.url, orchestrator: orchestrator.url, processor: processor.url, credentials };
}

/** Starts the capacity manager and its monitor, and adds to `stops` how to stop both. */
async function startCapacity(
  { workersFile, home, env, log, environment }: LocalSystemOptions,
  { api, processor }: Pick<LocalSystemFile, 'api' | 'processor'>,
  { manager, worker }: LocalCredentials,
  stops: (() => Promise<void>)[],
): Promise<{ url: string; groups: string[] } | undefined> {
  if (workersFile === undefined) return undefined;
  const urls = { apiUrl: api, processorUrl: processor, processorToken: environment.PROCESSOR_TOKEN };
  const settings = { ...urls, manager, worker, workersFile, home, pollIntervalMs, env };
  const capacity = await startLocalCapacity(settings, { log: log.child({ component: 'capacity' }) });
  stops.push(() => capacity.stop());
  void capacity.manager.run();
  const monitor = await startMonitor(capacity.manager, { port: 0, host: '127.0.0.1', pollIntervalMs, now: Date.now });
  stops.push(() => monitor.close());
  return { url: monitor.url, groups: capacity.groups };
}
