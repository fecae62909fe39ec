import path from 'node:path';
import { z } from 'zod';
import { type Api, type Credentials, createApi } from '../../client/api.js';
import { SetupError } from '../../contract/errors.js';
import { readJson } from '../../platform/files.js';
import { homeDirectory } from '../../platform/home.js';
import { readDevFile } from './local-system-file.js';
import { readProfile } from './profile.js';

export interface FoundApi {
  baseUrl: string;
  credentials: Credentials;
  source: 'flag' | 'environment' | 'local system' | 'profile';
}

const localKey = z.object({ apiKey: z.string() });
const sameApi = (a: string, b: string) =>
  a.replace(/\/+$/, '').replace('localhost', '127.0.0.1') === b.replace(/\/+$/, '').replace('localhost', '127.0.0.1');

/** Which API a client command means, in this order: --api, REEFGUIDE_API, the running local system, the saved profile. */
export async function locateApi(options: {
  flag: string | undefined;
  env: NodeJS.ProcessEnv;
  profileFolder: string;
}): Promise<FoundApi | undefined> {
  const { flag, env, profileFolder } = options;
  const home = homeDirectory(env);
  const [dev, profile] = await Promise.all([readDevFile(home), readProfile(profileFolder)]);
  const credentialsFor = async (baseUrl: string): Promise<Credentials> => {
    // Who meant to set it would act as somebody else.
    if (env.REEFGUIDE_API_KEY === '')
      throw new SetupError('REEFGUIDE_API_KEY is empty', { hint: 'Give it a key, or unset it.' });
    if (env.REEFGUIDE_API_KEY) return { kind: 'apiKey', apiKey: env.REEFGUIDE_API_KEY };
    if (dev && (sameApi(dev.api, baseUrl) || sameApi(dev.orchestrator, baseUrl))) {
      const local = await readJson(path.join(home, 'credentials.json'), localKey).catch(() => undefined);
      if (local) return { kind: 'apiKey', apiKey: local.apiKey };
    }
    if (profile && sameApi(profile.api, baseUrl)) {
      return 'apiKey' in profile
        ? { kind: 'apiKey', apiKey: profile.apiKey }
        : { kind: 'refresh', refreshToken: profile.refreshToken };
    }
    return { kind: 'none' };
  };
  const found = async (baseUrl: string, source: FoundApi['source']) => ({
    baseUrl,
    source,
    credentials: await credentialsFor(baseUrl),
  });
  if (flag) return found(flag, 'flag');
  if (env.REEFGUIDE_API) return found(env.REEFGUIDE_API, 'environment');
  if (dev) return found(dev.api, 'local system');
  return profile ? found(profile.api, 'profile') : undefined;
}

export async function findApi(options: Parameters<typeof locateApi>[0]): Promise<Api> {
  const found = await locateApi(options);
  if (!found) {
    throw new SetupError('No API to talk to', {
      hint: 'Start the local system with `reefguide dev`, log in with `reefguide login`, or set REEFGUIDE_API.',
    });
  }
  return createApi(found);
}
