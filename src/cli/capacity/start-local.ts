import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { toDryRunCompute, toReadOnlyApi } from '../../capacity/manager/dry-run.js';
import { CapacityManager, type ManagerStatus } from '../../capacity/manager/manager.js';
import { type Api, createApi } from '../../client/api.js';
import { endOrphanTasks, LocalCompute } from '../../compute/local/provider.js';
import type { TaskStoppedEvent } from '../../compute/local/stopped-event.js';
import { SetupError } from '../../contract/errors.js';
import { localManagerEnvironment } from '../../environment/capacity-manager.js';
import { parseEnvironment } from '../../environment/server.js';
import { homeDirectory } from '../../platform/home.js';
import { isAlive, ownIdentity, type ProcessIdentity } from '../../platform/processes.js';
import { sleep } from '../../platform/sleep.js';
import { readLocalAccounts } from '../api/find-worker-api.js';
import { readDevFile } from '../api/local-system-file.js';
import { readWorkersFile } from './read-workers-file.js';
import { type Capacity, stoppable } from './running-capacity.js';

/** Where this program is installed. */
export const programRoot = fileURLToPath(new URL('../../..', import.meta.url));

export const exampleWorkersFile = path.join(programRoot, 'examples/workers/workers.json');

export interface LocalCapacityOptions {
  apiUrl: string;
  /** Of the event processor, which is told when a task stops. */
  processorUrl: string;
  processorToken: string | undefined;
  manager: { email: string; password: string };
  worker: { email: string; password: string };
  workersFile: string;
  home: string;
  pollIntervalMs: number;
  env: NodeJS.ProcessEnv;
  log: Logger;
  /** Decides, and acts on nothing. */
  dryRun?: boolean;
  onTurn?: ((status: ManagerStatus) => void) | undefined;
}

/** What the environment names, and, where it does not, what the running local system says. */
export async function findLocalCapacity(
  env: NodeJS.ProcessEnv,
  workersFile: string | undefined,
): Promise<Omit<LocalCapacityOptions, 'log' | 'dryRun' | 'onTurn'>> {
  const set = parseEnvironment(localManagerEnvironment, env);
  const home = homeDirectory(env);
  const [dev, local] = await Promise.all([readDevFile(home), readLocalAccounts(env)]);
  const apiUrl = set.API_ENDPOINT ?? dev?.api;
  const processorUrl = set.PROCESSOR_URL ?? dev?.processor;
  const manager =
    set.API_USERNAME && set.API_PASSWORD ? { email: set.API_USERNAME, password: set.API_PASSWORD } : local?.manager;
  const worker =
    set.WORKER_USERNAME && set.WORKER_PASSWORD
      ? { email: set.WORKER_USERNAME, password: set.WORKER_PASSWORD }
      : local?.worker;
  if (!apiUrl || !processorUrl || !manager || !worker) {
    throw new SetupError(
      'API_ENDPOINT, PROCESSOR_URL, and the accounts API_USERNAME/PASSWORD and WORKER_USERNAME/PASSWORD are not all set',
      { hint: 'Set them, or start the local system with `reefguide dev --no-capacity`.' },
    );
  }
  return {
    apiUrl,
    processorUrl,
    processorToken: set.PROCESSOR_TOKEN,
    manager,
    worker,
    workersFile: path.resolve(workersFile ?? exampleWorkersFile),
    home,
    pollIntervalMs: set.POLL_INTERVAL_MS,
    env,
  };
}

/** Secrets of the service that its workers have no business with. Those of AWS they need, to store results in S3. */
const secretName =
  /^(DATABASE_URL|DIRECT_URL|URL_SIGNING_KEY|PROCESSOR_TOKEN|SECRETS_KEY|(JWT|ADMIN|MANAGER|WORKER|API)_.*)$/;

const workerEnvironment = (options: LocalCapacityOptions): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(options.env).filter(([name]) => !secretName.test(name))),
  API_ENDPOINT: options.apiUrl,
  API_USERNAME: options.worker.email,
  API_PASSWORD: options.worker.password,
  REEFGUIDE_ROOT: programRoot,
  REEFGUIDE_HOME: options.home,
  // Shorter than the time that a stopping manager gives its tasks.
  STOP_GRACE_SECONDS: '2',
});

/** The capacity manager with workers that are processes of this machine. */
export async function startLocalCapacity(options: LocalCapacityOptions): Promise<Capacity> {
  const { log, dryRun = false } = options;
  const groups = await readWorkersFile(options.workersFile);
  const api = createApi({ baseUrl: options.apiUrl, credentials: { kind: 'password', ...options.manager } });
  const place = {
    directory: path.join(options.home, 'tasks'),
    log,
    onStopped: (event: TaskStoppedEvent) => tellProcessor(options, event),
    now: Date.now,
  };
  if (!dryRun) {
    await endOrphanTasks(place);
    // Without it the lease lapses by itself, so an API that does not answer yet is no reason not to start.
    await freeDeadLease(api).catch((error: unknown) => log.info({ err: error }, 'the lease will lapse by itself'));
  }
  const compute = await LocalCompute.open({
    ...place,
    definitions: groups.map(({ name, entryPoint, command, env }) => ({
      group: name,
      entryPoint: entryPoint ?? [process.execPath, path.join(programRoot, 'bin/run.js')],
      command,
      environment: env,
      image: 'reefguide',
    })),
    logDirectory: path.join(options.home, 'logs'),
    environment: workerEnvironment(options),
  });
  const manager = new CapacityManager({
    api: dryRun ? toReadOnlyApi(api) : api,
    compute: dryRun ? toDryRunCompute(compute) : compute,
    groups,
    holder: holderName(ownIdentity()),
    pollIntervalMs: options.pollIntervalMs,
    log,
    now: Date.now,
    sleep,
    random: Math.random,
    newToken: randomUUID,
    onTurn: options.onTurn,
  });
  return stoppable(manager, groups, async (finished) => {
    await finished;
    await compute.close();
  });
}

/** A local manager's name says which process it is, so that another can tell when it has gone. */
const holderName = ({ pid, start }: ProcessIdentity) => `${hostname()}/${pid}/${start}`;

/** Gives up the lease of a manager of this machine that was killed, rather than wait for it to lapse. */
async function freeDeadLease(api: Api): Promise<void> {
  const { holder } = await api.capacityStatus();
  const [host, pid, start] = holder?.split('/') ?? [];
  if (!holder || host !== hostname() || !start || isAlive({ pid: Number(pid), start })) return;
  await api.releaseLease(holder);
}

const tellAttempts = 4;

/** Posts the event as EventBridge would deliver it, and again when the processor is away. */
async function tellProcessor(
  { processorUrl, processorToken }: LocalCapacityOptions,
  event: TaskStoppedEvent,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(`${processorUrl}/process`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(processorToken ? { authorization: `Bearer ${processorToken}` } : {}),
        },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(5_000),
      });
      await response.body?.cancel();
      if (response.ok) return;
      throw new Error(`the event processor answered ${response.status}`);
    } catch (error) {
      if (attempt === tellAttempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
    }
  }
}
