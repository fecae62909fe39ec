import { hostname } from 'node:os';
import path from 'node:path';
import type { LocalWorkerGroup } from '../../capacity/manager/workers-file.js';
import { type Api, createApi } from '../../client/api.js';
import { endOrphanTasks, LocalCompute } from '../../compute/local/provider.js';
import type { TaskStoppedEvent } from '../../compute/local/stopped-event.js';
import { isAlive, ownIdentity, type ProcessIdentity } from '../../platform/processes.js';
import type { LocalCapacitySettings } from './find-local.js';
import { sendTaskStopped } from './processor-events.js';
import { programRoot } from './program-root.js';
import { readWorkersFile } from './read-workers-file.js';
import { type CapacityOptions, RunningCapacity } from './running-capacity.js';

/** Starts the capacity manager with workers that are processes of this machine. */
export async function startLocalCapacity(
  settings: LocalCapacitySettings,
  options: CapacityOptions,
): Promise<RunningCapacity> {
  const { home } = settings;
  const { log, dryRun } = options;
  const groups = await readWorkersFile(settings.workersFile);
  const api = createApi({ baseUrl: settings.apiUrl, credentials: { kind: 'password', ...settings.manager } });
  const tasks = {
    directory: path.join(home, 'tasks'),
    log,
    onStopped: (event: TaskStoppedEvent) => sendTaskStopped(settings, event),
    now: Date.now,
  };
  if (!dryRun) {
    await endOrphanTasks(tasks);
    // Start without an answer of the API too, because the lease of a dead manager expires.
    await releaseDeadLease(api).catch((error: unknown) => log.info({ err: error }, 'the old lease will expire'));
  }
  const compute = await LocalCompute.open({
    ...tasks,
    definitions: groups.map(toTaskDefinition),
    logDirectory: path.join(home, 'logs'),
    environment: getWorkerEnvironment(settings),
  });
  return new RunningCapacity({
    ...options,
    api,
    compute,
    groups,
    holder: toHolder(ownIdentity()),
    pollIntervalMs: settings.pollIntervalMs,
    async close(finished) {
      await finished;
      await compute.close();
    },
  });
}

const toTaskDefinition = ({ name, entryPoint, command, env }: LocalWorkerGroup) => ({
  group: name,
  entryPoint: entryPoint ?? [process.execPath, path.join(programRoot, 'bin/run.js')],
  command,
  environment: env,
  image: 'reefguide',
});

/** Secrets of the service, withheld from workers. AWS credentials pass, because workers store results in S3. */
const serviceSecret =
  /^(DATABASE_URL|DIRECT_URL|URL_SIGNING_KEY|PROCESSOR_TOKEN|SECRETS_KEY|(JWT|ADMIN|MANAGER|WORKER|API)_.*)$/;

const getWorkerEnvironment = ({ env, apiUrl, worker, home }: LocalCapacitySettings): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => !serviceSecret.test(name))),
  API_ENDPOINT: apiUrl,
  API_USERNAME: worker.email,
  API_PASSWORD: worker.password,
  REEFGUIDE_ROOT: programRoot,
  REEFGUIDE_HOME: home,
  // Shorter than the time in which a stopping manager ends its tasks.
  STOP_GRACE_SECONDS: '2',
});

/** Names a local manager by its process, e.g. `host/4711/98765`, so that a later manager sees whether it still runs. */
const toHolder = ({ pid, start }: ProcessIdentity) => `${hostname()}/${pid}/${start}`;

/** Releases the lease of a manager of this machine that was killed, instead of waiting until the lease expires. */
async function releaseDeadLease(api: Api): Promise<void> {
  const { holder } = await api.capacityStatus();
  const [host, pid, start] = holder?.split('/') ?? [];
  if (!holder || host !== hostname() || !start || isAlive({ pid: Number(pid), start })) return;
  await api.releaseLease(holder);
}
