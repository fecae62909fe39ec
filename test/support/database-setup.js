// Starts one embedded Postgres for all integration tests, with a migrated template that each test file copies.
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { acquireEmbeddedPostgres } from '../../dist/database/embedded/acquire.js';
import { migrate } from '../../dist/database/migrations.js';

export default async function setUp() {
  const home = await mkdtemp(path.join(os.tmpdir(), 'reefguide-test-'));
  // The data need not survive a power cut.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const postgres = await acquireEmbeddedPostgres({ home, settings });
  await migrate(postgres.url);
  process.env.TEST_DATABASE_URL = postgres.url;
  globalThis.testDatabase = { home, postgres };
}
