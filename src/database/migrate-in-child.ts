import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { isUpToDate } from './migrations.js';

const answer = z.union([z.strictObject({ applied: z.array(z.string()) }), z.strictObject({ error: z.string() })]);

/**
 * Applies pending migrations in a process of its own, because the schema engine takes about 100 MB for good.
 * An up-to-date database costs two queries and no process. Returns the names of the applied migrations.
 */
export async function migrateInChild(url: string): Promise<string[]> {
  if (await isUpToDate(url)) return [];
  const child = fork(fileURLToPath(new URL('./migrate-child.js', import.meta.url)), { stdio: 'inherit' });
  const message = await new Promise<unknown>((resolve, reject) => {
    child.once('error', reject);
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`The migrating process ended with exit code ${code}`)));
    child.send(url);
  });
  const parsed = answer.parse(message);
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed.applied;
}
