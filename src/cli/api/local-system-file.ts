import { rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type LocalCredentials, localCredentials } from '../../accounts/local-credentials.js';
import { readJson, savePrivateFile } from '../../platform/files.js';
import { homeDirectory } from '../../platform/home.js';
import { isAlive, processIdentity } from '../../platform/processes.js';

const schema = z.object({
  api: z.string(),
  orchestrator: z.string(),
  processor: z.string(),
  capacity: z.string().nullable(),
  process: processIdentity,
});

/** Endpoints and process of the running local system: `dev.json` in the home directory. */
export type LocalSystemFile = z.infer<typeof schema>;

const getPath = (home: string) => path.join(home, 'dev.json');

/** Reads the endpoints of the running local system. Returns undefined without the file, and after its process ended. */
export async function readLocalSystemFile(home: string): Promise<LocalSystemFile | undefined> {
  const system = await readJson(getPath(home), schema).catch(() => undefined);
  return system && isAlive(system.process) ? system : undefined;
}

export const writeLocalSystemFile = (home: string, content: LocalSystemFile): Promise<void> =>
  savePrivateFile(getPath(home), `${JSON.stringify(content, null, 2)}\n`);

export const removeLocalSystemFile = (home: string): Promise<void> => rm(getPath(home), { force: true });

/** Reads `credentials.json` of the local system in the home directory. Returns undefined when no local system was started. */
export const readSavedCredentials = (env: NodeJS.ProcessEnv): Promise<LocalCredentials | undefined> =>
  readJson(path.join(homeDirectory(env), 'credentials.json'), localCredentials).catch(() => undefined);
