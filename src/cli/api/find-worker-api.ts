import path from 'node:path';
import { z } from 'zod';
import { type Api, createApi } from '../../client/api.js';
import { SetupError } from '../../contract/errors.js';
import { readJson } from '../../platform/files.js';
import { homeDirectory } from '../../platform/home.js';
import { readDevFile } from './local-system-file.js';

const account = z.object({ email: z.string(), password: z.string() });
const localAccounts = z.object({ manager: account, worker: account });

/** The accounts of the local system, if there is one here. */
export const readLocalAccounts = (env: NodeJS.ProcessEnv): Promise<z.infer<typeof localAccounts> | undefined> =>
  readJson(path.join(homeDirectory(env), 'credentials.json'), localAccounts).catch(() => undefined);

/** The API as a worker: named by the environment, or the running local system. */
export async function findWorkerApi(env: NodeJS.ProcessEnv): Promise<Api> {
  const baseUrl = env.API_ENDPOINT || env.REEFGUIDE_API || (await readDevFile(homeDirectory(env)))?.api;
  if (!baseUrl)
    throw new SetupError('API_ENDPOINT is not set', {
      hint: 'Name the API to work for, or start the local system with `reefguide dev`.',
    });
  const { API_USERNAME: email, API_PASSWORD: password } = env;
  if (email && password) return createApi({ baseUrl, credentials: { kind: 'password', email, password } });
  const local = await readLocalAccounts(env);
  if (!local)
    throw new SetupError('API_USERNAME and API_PASSWORD are not set', { hint: 'Set them to the account of a worker.' });
  return createApi({ baseUrl, credentials: { kind: 'password', ...local.worker } });
}
