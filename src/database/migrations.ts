import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import pg from 'pg';

const prismaFolder = fileURLToPath(new URL('../../prisma', import.meta.url));

/** Serialises migrating processes by a number that nothing else in the database uses. */
const migrationLock = 7_270_736_901;

export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file, as Prisma records it. */
  checksum: string;
}

export interface MigrationStatus {
  applied: string[];
  pending: string[];
  /** Began and did not end: somebody has to look at the database. */
  failed: string[];
  /** Applied, but the file was changed afterwards. */
  edited: string[];
}

/** The migrations on disk, oldest first. */
export async function readMigrations(folder = path.join(prismaFolder, 'migrations')): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/** What of `migrations` the database has, from Prisma's own table. */
export async function readMigrationStatus(
  database: Pick<pg.ClientBase, 'query'>,
  migrations: Migration[],
): Promise<MigrationStatus> {
  const known = await database.query<{ there: boolean }>(
    `SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS there`,
  );
  const rows = known.rows[0]?.there
    ? (
        await database.query<AppliedRow>(
          `SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
        )
      ).rows
    : [];
  const recorded = new Map(rows.map((row) => [row.migration_name, row]));
  const status: MigrationStatus = { applied: [], pending: [], failed: [], edited: [] };
  for (const { name, checksum } of migrations) {
    const row = recorded.get(name);
    if (!row) status.pending.push(name);
    else if (!row.finished_at) status.failed.push(name);
    else status.applied.push(name);
    if (row?.finished_at && row.checksum !== checksum) status.edited.push(name);
  }
  return status;
}

function migrationList(migrations: Migration[]): MigrationList {
  return {
    baseDir: path.join(prismaFolder, 'migrations'),
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  };
}

/**
 * Applies what is missing and returns the names of what was applied. Processes that migrate at the same time wait for
 * each other, so each migration is applied once; an up-to-date database costs two queries.
 */
export async function migrate(url: string, migrations?: Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    if (isCurrent(await readMigrationStatus(client, wanted))) return [];
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    if (isCurrent(await readMigrationStatus(client, wanted))) return [];
    const { noFilter, withSchemaEngine } = await import('./schema-engine.js');
    const input = { migrationsList: migrationList(wanted), filters: noFilter };
    return (await withSchemaEngine(url, (engine) => engine.applyMigrations(input))).appliedMigrationNames;
  } finally {
    await client.end();
  }
}

/** Whether the database has every migration. */
export async function isUpToDate(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return isCurrent(await readMigrationStatus(client, await readMigrations()));
  } finally {
    await client.end();
  }
}

/** Drops everything in the database, then migrates it anew. */
export async function resetDatabase(url: string): Promise<string[]> {
  const { noFilter, withSchemaEngine } = await import('./schema-engine.js');
  await withSchemaEngine(url, (engine) => engine.reset({ filter: noFilter }));
  return migrate(url);
}

export function isCurrent(status: MigrationStatus): boolean {
  return status.pending.length === 0 && status.failed.length === 0;
}
