import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import {
  isCurrent,
  migrate,
  readMigrationStatus,
  readMigrations,
  resetDatabase,
} from '../../../src/database/migrations.js';
import { readDifference } from '../../../src/database/new-migration.js';
import { noFilter, withSchemaEngine } from '../../../src/database/schema-engine.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const built = new URL('../../../dist/database/migrations.js', import.meta.url).href;
const schemaFile = fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url));
const schema = { path: schemaFile, content: await readFile(schemaFile, 'utf8') };

const databases: TestDatabase[] = [];
const clients: pg.Client[] = [];
afterAll(async () => {
  for (const client of clients) await client.end();
  for (const database of databases) await database.drop();
});

async function createEmptyDatabase(): Promise<{ url: string; client: pg.Client }> {
  const database = await createTestDatabase({ empty: true });
  databases.push(database);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  clients.push(client);
  return { url: database.url, client };
}
const readNames = async () => (await readMigrations()).map(({ name }) => name);
const readApplied = async (client: pg.Client) =>
  (await client.query('SELECT migration_name FROM _prisma_migrations ORDER BY started_at')).rows.map(
    ({ migration_name }) => migration_name,
  );
/** Migrates in another process, and returns the names of the applied migrations. */
async function migrateInAnotherProcess(url: string): Promise<string[]> {
  const script = `import { migrate } from '${built}'; console.log(JSON.stringify(await migrate(process.argv[1])))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, url]);
  return JSON.parse(stdout);
}

describe('migrate', () => {
  it('applies each migration once, in order, and then none', async () => {
    const { url, client } = await createEmptyDatabase();
    expect(await migrate(url)).toEqual(await readNames());
    expect(await readApplied(client)).toEqual(await readNames());
    expect(await migrate(url)).toEqual([]);
  });

  it('applies each migration once when several processes migrate at once', async () => {
    const { url, client } = await createEmptyDatabase();
    const answers = await Promise.all([migrateInAnotherProcess(url), migrateInAnotherProcess(url), migrate(url)]);
    expect(answers.flat()).toEqual(await readNames());
    expect(await readApplied(client)).toEqual(await readNames());
  });

  it('applies only pending migrations', async () => {
    const { url, client } = await createEmptyDatabase();
    await migrate(url);
    const later = { name: '99999999000000_later', sql: 'CREATE TABLE "Later" (id int);', checksum: '' };
    expect(await migrate(url, [...(await readMigrations()), later])).toEqual([later.name]);
    expect(await readApplied(client)).toEqual([...(await readNames()), later.name]);
  });

  it('stops at a failing migration, and names the migration', async () => {
    const { url, client } = await createEmptyDatabase();
    const bad = { name: '99999998000000_bad', sql: 'CREATE TABLE nothing.nowhere (id int);', checksum: '' };
    const later = { name: '99999999000000_later', sql: 'CREATE TABLE "Later" (id int);', checksum: '' };
    const all = [...(await readMigrations()), bad, later];
    await expect(migrate(url, all)).rejects.toThrow(bad.name);
    expect(await readMigrationStatus(client, all)).toMatchObject({ failed: [bad.name], pending: [later.name] });
    await expect(migrate(url, all)).rejects.toThrow(bad.name);
  });
});

describe('readMigrationStatus', () => {
  it('reports every migration of an empty database as pending', async () => {
    const { client } = await createEmptyDatabase();
    const status = await readMigrationStatus(client, await readMigrations());
    expect(status).toEqual({ applied: [], pending: await readNames(), failed: [], edited: [] });
    expect(isCurrent(status)).toBe(false);
  });

  it('distinguishes applied, edited and failed migrations', async () => {
    const { url, client } = await createEmptyDatabase();
    await migrate(url);
    const migrations = await readMigrations();
    const [first = ''] = await readNames();
    const status = await readMigrationStatus(client, migrations);
    expect(status).toEqual({ applied: await readNames(), pending: [], failed: [], edited: [] });
    expect(isCurrent(status)).toBe(true);

    const edited = migrations.map((migration) => ({ ...migration, checksum: 'changed' }));
    expect((await readMigrationStatus(client, edited)).edited).toEqual(await readNames());

    await client.query('UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1', [first]);
    const failed = await readMigrationStatus(client, migrations);
    expect(failed.failed).toEqual([first]);
    expect(isCurrent(failed)).toBe(false);
  });

  it('reports a migration that was rolled back as pending', async () => {
    const { url, client } = await createEmptyDatabase();
    await migrate(url);
    await client.query('UPDATE _prisma_migrations SET rolled_back_at = now()');
    expect((await readMigrationStatus(client, await readMigrations())).pending).toEqual(await readNames());
  });
});

describe('resetDatabase', () => {
  it('drops everything and applies every migration', async () => {
    const { url, client } = await createEmptyDatabase();
    await migrate(url);
    await client.query(`INSERT INTO "User" (email, password) VALUES ('a@example.org', 'x')`);
    await client.query('CREATE TABLE "Other" (id int)');
    expect(await resetDatabase(url)).toEqual(await readNames());
    expect((await client.query('SELECT * FROM "User"')).rows).toEqual([]);
    expect((await client.query(`SELECT to_regclass('"Other"') AS name`)).rows[0].name).toBeNull();
  });
});

describe('schema.prisma', () => {
  let migrated: pg.Client;
  let fromSchema: pg.Client;
  beforeAll(async () => {
    const [withMigrations, withSchema] = [await createEmptyDatabase(), await createEmptyDatabase()];
    await migrate(withMigrations.url);
    const { stdout: sql } = await withSchemaEngine(withSchema.url, (engine) =>
      engine.diff({
        from: { tag: 'empty' },
        to: { tag: 'schemaDatamodel', files: [schema] },
        script: true,
        exitCode: null,
        filters: noFilter,
      }),
    );
    await withSchema.client.query(sql ?? '');
    [migrated, fromSchema] = [withMigrations.client, withSchema.client];
  });

  const columns = async (client: pg.Client) =>
    (
      await client.query(
        `SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, datetime_precision
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'
         ORDER BY table_name, column_name`,
      )
    ).rows;
  const constraints = async (client: pg.Client) =>
    (
      await client.query(
        `SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS definition
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> '_prisma_migrations'
         ORDER BY 1, 2`,
      )
    ).rows;
  const enums = async (client: pg.Client) =>
    (await client.query('SELECT enumtypid::regtype::text AS type, enumlabel FROM pg_enum ORDER BY type, enumsortorder'))
      .rows;
  const indexes = async (client: pg.Client): Promise<string[]> =>
    (
      await client.query(
        `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'`,
      )
    ).rows.map(({ indexdef }) => indexdef);

  it('agrees with the migrations on every column', async () => {
    const expected = await columns(fromSchema);
    expect(expected.length).toBeGreaterThan(80);
    expect(await columns(migrated)).toEqual(expected);
  });

  it('agrees with the migrations on enums, keys and references', async () => {
    expect(await enums(migrated)).toEqual(await enums(fromSchema));
    expect(await constraints(migrated)).toEqual(await constraints(fromSchema));
  });

  it('has no index that the migrations lack', async () => {
    expect(await indexes(migrated)).toEqual(expect.arrayContaining(await indexes(fromSchema)));
  });

  it('needs no further migration', async () => {
    const { url } = await createEmptyDatabase();
    await migrate(url);
    expect(await readDifference(url, schema)).toBeUndefined();
  });
});
