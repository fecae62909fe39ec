import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { isUpToDate } from './migrations.js';

const answer = z.union([z.strictObject({ applied: z.array(z.string()) }), z.strictObject({ error: z.string() })]);

/**
 * Applies what is missing, in a process of its own: the schema engine takes about 100 MB that a server would keep for as
 * long as it lives. A database that is up to date is found so here, and costs two queries. Returns the names.
 */
export async function migrateInChild(url: string): Promise<string[]> {
  if (await isUpToDate(url)) return [];
  const child = fork(fileURLToPath(new URL('./migrate-child.js', import.meta.url)), { stdio: 'inherit' });
  const received = await new Promise<unknown>((resolve, reject) => {
    child.once('error', reject);
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the migrating process ended with ${code}`)));
    child.send(url);
  });
  const parsed = answer.parse(received);
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed.applied;
}
