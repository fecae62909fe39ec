import path from 'node:path';
import type { LocalCredentials } from '../../accounts/local-credentials.js';
import { SetupError } from '../../contract/errors.js';
import { localManagerEnvironment } from '../../environment/capacity-manager.js';
import { parseEnvironment } from '../../environment/variables.js';
import { homeDirectory } from '../../platform/home.js';
import { readLocalSystemFile, readSavedCredentials } from '../api/local-system-file.js';
import { exampleWorkersFile } from './program-root.js';

type Account = LocalCredentials['worker'];

export interface LocalCapacitySettings {
  apiUrl: string;
  /** Receives an event when a task stops. */
  processorUrl: string;
  processorToken: string | undefined;
  manager: Account;
  worker: Account;
  workersFile: string;
  home: string;
  pollIntervalMs: number;
  /** Environment of the workers, except for secrets of the service. */
  env: NodeJS.ProcessEnv;
}

/** Finds the settings in the environment, or else in the running local system. */
export async function findLocalCapacity(
  env: NodeJS.ProcessEnv,
  workersFile: string | undefined,
): Promise<LocalCapacitySettings> {
  const variables = parseEnvironment(localManagerEnvironment, env);
  const home = homeDirectory(env);
  const [localSystem, local] = await Promise.all([readLocalSystemFile(home), readSavedCredentials(env)]);
  const apiUrl = variables.API_ENDPOINT ?? localSystem?.api;
  const processorUrl = variables.PROCESSOR_URL ?? localSystem?.processor;
  const manager = toAccount(variables.API_USERNAME, variables.API_PASSWORD) ?? local?.manager;
  const worker = toAccount(variables.WORKER_USERNAME, variables.WORKER_PASSWORD) ?? local?.worker;
  if (!apiUrl || !processorUrl || !manager || !worker) {
    throw new SetupError(
      'API_ENDPOINT, PROCESSOR_URL, API_USERNAME/PASSWORD and WORKER_USERNAME/PASSWORD are not all set',
      { hint: 'Set these variables, or start the local system with `reefguide dev --no-capacity`.' },
    );
  }
  return {
    apiUrl,
    processorUrl,
    processorToken: variables.PROCESSOR_TOKEN,
    manager,
    worker,
    workersFile: path.resolve(workersFile ?? exampleWorkersFile),
    home,
    pollIntervalMs: variables.POLL_INTERVAL_MS,
    env,
  };
}

const toAccount = (email: string | undefined, password: string | undefined): Account | undefined =>
  email && password ? { email, password } : undefined;
