import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { acquireEmbeddedPostgres } from '../../src/database/embedded/acquire.js';

export interface TestPostgres {
  url: string;
  stop(): Promise<void>;
}

/** A Postgres of its own, for tests that start whole processes. */
export async function startPostgres(): Promise<TestPostgres> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'reefguide-postgres-'));
  const held = await acquireEmbeddedPostgres({ home, settings: { fsync: 'off' } });
  return {
    url: held.url,
    async stop() {
      await held.release();
      await rm(home, { recursive: true, force: true });
    },
  };
}
