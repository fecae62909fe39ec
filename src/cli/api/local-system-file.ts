import { rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson, savePrivateFile } from '../../platform/files.js';
import { isAlive, processIdentity } from '../../platform/processes.js';

const devFile = z.object({
  api: z.string(),
  orchestrator: z.string(),
  processor: z.string(),
  capacity: z.string().nullable(),
  process: processIdentity,
});

/** Endpoints and process of the running local system: `dev.json` in the home folder. */
export type DevFile = z.infer<typeof devFile>;

const fileIn = (home: string) => path.join(home, 'dev.json');

/** The local system that runs now; undefined when the file is missing or its process has gone. */
export async function readDevFile(home: string): Promise<DevFile | undefined> {
  const system = await readJson(fileIn(home), devFile).catch(() => undefined);
  return system && isAlive(system.process) ? system : undefined;
}

export const writeDevFile = (home: string, content: DevFile): Promise<void> =>
  savePrivateFile(fileIn(home), `${JSON.stringify(content, null, 2)}\n`);

export const removeDevFile = (home: string): Promise<void> => rm(fileIn(home), { force: true });
