import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SetupError } from '../contract/errors.js';
import { acquireEmbeddedPostgres } from './embedded/acquire.js';
import { migrate, readMigrations } from './migrations.js';
import { noFilter, withSchemaEngine } from './schema-engine.js';

/**
 * Writes the difference between the migrations and `schema.prisma` as a new migration, for example
 * `migrations/20261125181500_add_note/migration.sql`. Returns the path of the file; undefined when nothing differs.
 * Leaves out partial indexes and triggers, because Prisma's schema language cannot express either.
 */
export async function createMigration(prismaDirectory: string, name: string): Promise<string | undefined> {
  const directoryName = toDirectoryName(name, new Date());
  const migrationsDirectory = path.join(prismaDirectory, 'migrations');
  const migrations = await readMigrations(migrationsDirectory);
  const schemaFile = path.join(prismaDirectory, 'schema.prisma');
  const content = await readFile(schemaFile, 'utf8');
  const sql = await withScratchDatabase(async (url) => {
    await migrate(url, migrations);
    return readDifference(url, { path: schemaFile, content });
  });
  if (sql === undefined) return undefined;
  const directory = path.join(migrationsDirectory, directoryName);
  await mkdir(directory);
  const file = path.join(directory, 'migration.sql');
  await writeFile(file, sql);
  return file;
}

/** Returns the SQL that brings the database to the schema; undefined when nothing differs. */
export async function readDifference(url: string, schema: { path: string; content: string }) {
  const { exitCode, stdout } = await withSchemaEngine(url, (engine) =>
    engine.diff({
      from: { tag: 'schemaDatasource', files: [schema], configDir: path.dirname(schema.path) },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: true,
      filters: noFilter,
    }),
  );
  return exitCode === 0 || stdout === null ? undefined : stdout;
}

/** Returns the name of the directory, for example `add_note` → `20261125181500_add_note`. The time is in UTC. */
function toDirectoryName(name: string, now: Date): string {
  if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) {
    throw new SetupError(`Invalid migration name "${name}": expected lower-case letters, digits and underscores`, {
      hint: 'Say what the migration does, for example: npm run migration -- add_note_to_job',
    });
  }
  return `${now.toISOString().replace(/\D/g, '').slice(0, 14)}_${name}`;
}

/** Runs `work` with an empty database of a temporary embedded Postgres. */
async function withScratchDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'reefguide-migration-'));
  // Lets nobody enter the home, because Postgres does not run as root and would store the data elsewhere.
  await chmod(home, 0o755);
  try {
    const postgres = await acquireEmbeddedPostgres({ home, settings: { fsync: 'off' } });
    try {
      return await work(postgres.url);
    } finally {
      await postgres.release();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
