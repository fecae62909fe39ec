import path from 'node:path';
import { z } from 'zod';
import type { LocalCredentials } from '../../accounts/local-credentials.js';
import { readJson } from '../../platform/files.js';
import { homeDirectory } from '../../platform/home.js';

const account = z.object({ email: z.string(), password: z.string() });
const schema: z.ZodType<LocalCredentials> = z.object({
  admin: account,
  manager: account,
  worker: account,
  apiKey: z.string(),
});

/** Reads `credentials.json` of the local system in the home directory. Returns undefined when no local system was started. */
export const readLocalCredentials = (env: NodeJS.ProcessEnv): Promise<LocalCredentials | undefined> =>
  readJson(path.join(homeDirectory(env), 'credentials.json'), schema).catch(() => undefined);
