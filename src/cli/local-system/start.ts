import type { Logger } from 'pino';
import type { LocalCredentials } from '../../accounts/local-credentials.js';
import { SetupError } from '../../contract/errors.js';
import type { ServerEnvironment } from '../../environment/server.js';
import { ownIdentity } from '../../platform/processes.js';
import { type StartOptions, startServer } from '../../server/start.js';
import { type DevFile, readDevFile, removeDevFile, writeDevFile } from '../api/local-system-file.js';
import { startMonitor } from '../capacity/monitor.js';
import { startLocalCapacity } from '../capacity/start-local.js';

export interface LocalSystemOptions {
  environment: ServerEnvironment;
  env: NodeJS.ProcessEnv;
  home: string;
  log: Logger;
  requestLog?: StartOptions['requestLog'];
  port: number;
  orchestratorPort: number;
  processorPort: number;
  /** undefined: no capacity manager. */
  workersFile: string | undefined;
  onStep?: StartOptions['onStep'];
}

export interface LocalSystem {
  endpoints: DevFile;
  credentials: LocalCredentials;
  groups: string[];
  stop(): Promise<void>;
}

const pollIntervalMs = 3_000;

/** Brings the whole system up on this machine: database, API on two ports, event processor, capacity manager. */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const { home, log } = options;
  const other = await readDevFile(home);
  if (other) {
    throw new SetupError(`The local system runs already (process ${other.process.pid}, ${other.api})`, {
      hint: 'Stop it first, or set REEFGUIDE_HOME to another folder for a second one.',
    });
  }
  const server = await startServer({
    environment: options.environment,
    home,
    log,
    requestLog: options.requestLog,
    apiPorts: [options.port, options.orchestratorPort],
    processorPort: options.processorPort,
    onStep: options.onStep,
  });
  const undo = [() => server.stop()];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const { credentials, processor } = server;
    const [api, orchestrator] = server.api;
    if (!api || !orchestrator || !processor) throw new Error('the server listens on fewer ports than asked for');
    if (!credentials) {
      throw new SetupError('`reefguide dev` keeps its own database, but DATABASE_URL is set', {
        hint: 'Unset DATABASE_URL, or use `reefguide serve` and `reefguide capacity run` with it.',
      });
    }
    let capacityUrl: string | null = null;
    let groups: string[] = [];
    if (options.workersFile !== undefined) {
      const capacity = await startLocalCapacity({
        apiUrl: api.url,
        processorUrl: processor.url,
        processorToken: options.environment.PROCESSOR_TOKEN,
        manager: credentials.manager,
        worker: credentials.worker,
        workersFile: options.workersFile,
        home,
        pollIntervalMs,
        env: options.env,
        log: log.child({ component: 'capacity' }),
      });
      undo.push(() => capacity.stop());
      void capacity.manager.run();
      const monitor = await startMonitor(capacity.manager, {
        port: 0,
        host: '127.0.0.1',
        pollIntervalMs,
        now: Date.now,
      });
      undo.push(() => monitor.close());
      capacityUrl = `http://127.0.0.1:${monitor.port}`;
      groups = capacity.groups;
    }
    const endpoints = {
      api: api.url,
      orchestrator: orchestrator.url,
      processor: processor.url,
      capacity: capacityUrl,
      process: ownIdentity(),
    };
    await writeDevFile(home, endpoints);
    undo.push(() => removeDevFile(home));
    return { endpoints, credentials, groups, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
