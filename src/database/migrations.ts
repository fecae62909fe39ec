import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import pg from 'pg';

const migrationsDirectory = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** Key of the advisory lock for migrating. Nothing else in the database uses the number. */
const migrationLock = 7_270_736_901;

export interface Migration {
  /** For example `20261122000000_initial`. */
  name: string;
  sql: string;
  /** SHA-256 of the file in hexadecimal, as Prisma records checksums. */
  checksum: string;
}

/** Names of migrations by state in the database. */
export interface MigrationStatus {
  applied: string[];
  pending: string[];
  /** Started but not finished: somebody has to repair the database. */
  failed: string[];
  /** Applied, but the file was changed afterwards. */
  edited: string[];
}

/** Reads the migrations of a directory, oldest first. */
export async function readMigrations(directory = migrationsDirectory): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

interface MigrationRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

const hasMigrationTableSql = `SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS exists`;
const readMigrationRowsSql = `SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL`;

/** Compares `migrations` with Prisma's table of applied migrations. */
export async function readMigrationStatus(database: Pick<pg.ClientBase, 'query'>, migrations: Migration[]) {
  const table = await database.query<{ exists: boolean }>(hasMigrationTableSql);
  const rows = table.rows[0]?.exists ? (await database.query<MigrationRow>(readMigrationRowsSql)).rows : [];
  const rowsByName = new Map(rows.map((row) => [row.migration_name, row]));
  const status: MigrationStatus = { applied: [], pending: [], failed: [], edited: [] };
  for (const { name, checksum } of migrations) {
    const row = rowsByName.get(name);
    if (!row) status.pending.push(name);
    else if (!row.finished_at) status.failed.push(name);
    else status.applied.push(name);
    if (row?.finished_at && row.checksum !== checksum) status.edited.push(name);
  }
  return status;
}

export const isCurrent = ({ pending, failed }: MigrationStatus): boolean => pending.length + failed.length === 0;

/** Returns whether every migration was applied to the database. */
export const isUpToDate = (url: string): Promise<boolean> =>
  withClient(url, async (client) => isCurrent(await readMigrationStatus(client, await readMigrations())));

/** Applies pending migrations, and returns the names. Concurrent processes take turns, so each is applied once. */
export async function migrate(url: string, migrations?: Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  return withClient(url, async (client) => {
    if (isCurrent(await readMigrationStatus(client, wanted))) return [];
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    if (isCurrent(await readMigrationStatus(client, wanted))) return [];
    const { noFilter, withSchemaEngine } = await import('./schema-engine.js');
    const input = { migrationsList: toMigrationList(wanted), filters: noFilter };
    return (await withSchemaEngine(url, (engine) => engine.applyMigrations(input))).appliedMigrationNames;
  });
}

/** Drops everything in the database, then applies every migration. */
export async function resetDatabase(url: string): Promise<string[]> {
  const { noFilter, withSchemaEngine } = await import('./schema-engine.js');
  await withSchemaEngine(url, (engine) => engine.reset({ filter: noFilter }));
  return migrate(url);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function toMigrationList(migrations: Migration[]): MigrationList {
  return {
    baseDir: migrationsDirectory,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  };
}
