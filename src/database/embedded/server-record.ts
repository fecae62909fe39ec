import { z } from 'zod';
import { readIfExists, readJson, writeFileAtomically } from '../../platform/files.js';
import { processStart } from '../../platform/processes.js';
import { type HomePaths, toHomePaths } from './paths.js';

/** Content of `server.json`; `pid` is null while the server is stopped. */
const serverRecord = z.object({ port: z.number().int(), pid: z.number().int().nullable(), startedAt: z.string() });

export const readServerRecord = (paths: HomePaths) => readJson(paths.server, serverRecord);

export async function recordStart(paths: HomePaths, { pid, port }: { pid: number; port: number }): Promise<void> {
  const record = await readServerRecord(paths);
  if (record?.pid === pid && record.port === port) return;
  const startedAt = new Date().toISOString();
  await writeFileAtomically(paths.server, JSON.stringify({ port, pid, startedAt }), 0o644);
}

export async function recordStop(paths: HomePaths): Promise<void> {
  const record = await readServerRecord(paths);
  if (record !== undefined) await writeFileAtomically(paths.server, JSON.stringify({ ...record, pid: null }), 0o644);
}

/** Returns for example `postgresql://postgres:<password>@127.0.0.1:21785/reefguide`. */
export const toConnectionUrl = (port: number, password: string, database = 'reefguide'): string =>
  `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;

/** Returns the URL of the Postgres of `home` without acquiring a hold; undefined when the server does not run. */
export async function findRunningUrl(home: string): Promise<string | undefined> {
  const paths = toHomePaths(home);
  const [record, password] = [await readServerRecord(paths), await readIfExists(paths.password)];
  if (!record?.pid || !password || processStart(record.pid) === undefined) return undefined;
  return toConnectionUrl(record.port, password);
}
