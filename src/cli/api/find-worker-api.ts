import { type Api, createApi } from '../../client/api.js';
import { SetupError } from '../../contract/errors.js';
import { homeDirectory } from '../../platform/home.js';
import { readLocalCredentials } from './local-credentials.js';
import { readLocalSystemFile } from './local-system-file.js';

/** Returns a client with a worker's account, for the API of the environment or of the running local system. */
export async function findWorkerApi(env: NodeJS.ProcessEnv): Promise<Api> {
  const baseUrl = env.API_ENDPOINT || env.REEFGUIDE_API || (await readLocalSystemFile(homeDirectory(env)))?.api;
  if (!baseUrl) {
    throw new SetupError('API_ENDPOINT is not set', {
      hint: 'Set it to the address of the API, or start the local system with `reefguide dev`.',
    });
  }
  const { API_USERNAME: email, API_PASSWORD: password } = env;
  if (email && password) return createApi({ baseUrl, credentials: { kind: 'password', email, password } });
  const local = await readLocalCredentials(env);
  if (!local)
    throw new SetupError('API_USERNAME and API_PASSWORD are not set', { hint: "Set them to a worker's account." });
  return createApi({ baseUrl, credentials: { kind: 'password', ...local.worker } });
}
