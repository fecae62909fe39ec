import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { acquireEmbeddedPostgres } from '../../src/database/embedded/acquire.js';

export interface TestPostgres {
  url: string;
  stop(): Promise<void>;
}

/** Starts a Postgres for one test file, because programs under test must not share the database of other tests. */
export async function startPostgres(): Promise<TestPostgres> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'reefguide-postgres-'));
  const postgres = await acquireEmbeddedPostgres({ home, settings: { fsync: 'off' } });
  return {
    url: postgres.url,
    async stop() {
      await postgres.release();
      await rm(home, { recursive: true, force: true });
    },
  };
}
