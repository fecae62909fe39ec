// Runs the Prisma CLI without a download: at every start it looks for a native schema engine, and would fetch one. Neither
// `generate` nor `studio` calls the engine, so any executable does.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Runs `prisma` with arguments, for example `['generate']`, and returns the result of spawnSync. */
export function runPrisma(args, stdio) {
  const cli = createRequire(import.meta.url).resolve('prisma/build/index.js');
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  };
  return spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio, env, encoding: 'utf8' });
}
