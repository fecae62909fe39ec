import { type Api, createApi } from '../../client/api.js';
import type { Credentials } from '../../client/http.js';
import { SetupError } from '../../contract/errors.js';
import { homeDirectory } from '../../platform/home.js';
import { type LocalSystemFile, readLocalSystemFile, readSavedCredentials } from './local-system-file.js';
import { type Profile, readProfile } from './profile.js';

export interface ApiLocation {
  baseUrl: string;
  credentials: Credentials;
  source: 'flag' | 'environment' | 'local system' | 'profile';
}

export interface FindOptions {
  flag: string | undefined;
  env: NodeJS.ProcessEnv;
  profileDirectory: string;
}

/** Finds the API in this order: `--api`, `REEFGUIDE_API`, the running local system, the saved profile. */
export async function findApi({ flag, env, profileDirectory }: FindOptions): Promise<ApiLocation | undefined> {
  const [localSystem, profile] = await Promise.all([
    readLocalSystemFile(homeDirectory(env)),
    readProfile(profileDirectory),
  ]);
  const candidates: [ApiLocation['source'], string | undefined][] = [
    ['flag', flag],
    ['environment', env.REEFGUIDE_API],
    ['local system', localSystem?.api],
    ['profile', profile?.api],
  ];
  for (const [source, baseUrl] of candidates)
    if (baseUrl) return { baseUrl, source, credentials: await findCredentials(baseUrl, env, localSystem, profile) };
  return undefined;
}

/** Finds the credentials for an API: `REEFGUIDE_API_KEY`, the local system's administrator, the saved profile, or none. */
async function findCredentials(
  baseUrl: string,
  env: NodeJS.ProcessEnv,
  localSystem: LocalSystemFile | undefined,
  profile: Profile | undefined,
): Promise<Credentials> {
  // An empty key is an error, because the command would act as another account otherwise.
  if (env.REEFGUIDE_API_KEY === '')
    throw new SetupError('Invalid REEFGUIDE_API_KEY: expected a key', { hint: 'Set a key, or unset the variable.' });
  if (env.REEFGUIDE_API_KEY) return { kind: 'apiKey', apiKey: env.REEFGUIDE_API_KEY };
  if (localSystem && (isSameApi(localSystem.api, baseUrl) || isSameApi(localSystem.orchestrator, baseUrl))) {
    const local = await readSavedCredentials(env);
    if (local) return { kind: 'apiKey', apiKey: local.apiKey };
  }
  if (!profile || !isSameApi(profile.api, baseUrl)) return { kind: 'none' };
  return 'apiKey' in profile
    ? { kind: 'apiKey', apiKey: profile.apiKey }
    : { kind: 'refresh', refreshToken: profile.refreshToken };
}

/** Compares addresses: `http://localhost:5000/` and `http://127.0.0.1:5000` are the same API. */
const isSameApi = (a: string, b: string) => normalizeUrl(a) === normalizeUrl(b);
const normalizeUrl = (url: string) => url.replace(/\/+$/, '').replace('localhost', '127.0.0.1');

/** Returns a client of the API that {@link findApi} finds. Throws a SetupError without one. */
export async function connectApi(options: FindOptions): Promise<Api> {
  const location = await findApi(options);
  if (!location)
    throw new SetupError('No API to talk to', {
      hint: 'Start the local system with `reefguide dev`, log in with `reefguide login`, or set REEFGUIDE_API.',
    });
  return createApi(location);
}

/** Returns a client with a worker's account, for the API of the environment or of the running local system. */
export async function findWorkerApi(env: NodeJS.ProcessEnv): Promise<Api> {
  const baseUrl = env.API_ENDPOINT || env.REEFGUIDE_API || (await readLocalSystemFile(homeDirectory(env)))?.api;
  if (!baseUrl)
    throw new SetupError('API_ENDPOINT is not set', {
      hint: 'Set it to the address of the API, or start the local system with `reefguide dev`.',
    });
  const { API_USERNAME: email, API_PASSWORD: password } = env;
  if (email && password) return createApi({ baseUrl, credentials: { kind: 'password', email, password } });
  const local = await readSavedCredentials(env);
  if (!local)
    throw new SetupError('API_USERNAME and API_PASSWORD are not set', { hint: "Set them to a worker's account." });
  return createApi({ baseUrl, credentials: { kind: 'password', ...local.worker } });
}
