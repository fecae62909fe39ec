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
import { noFilter, withSchemaEngine } from '../../../src/database/schema-engine.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const built = new URL('../../../dist/database/migrations.js', import.meta.url).href;
const schemaFile = fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url));

const databases: TestDatabase[] = [];
const clients: pg.Client[] = [];
afterAll(async () => {
  for (const client of clients) await client.end();
  for (const database of databases) await database.drop();
});

async function emptyDatabase(): Promise<{ url: string; client: pg.Client }> {
  const database = await createTestDatabase({ empty: true });
  databases.push(database);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  clients.push(client);
  return { url: database.url, client };
}
const names = async () => (await readMigrations()).map(({ name }) => name);
const applied = async (client: pg.Client) =>
  (await client.query('SELECT migration_name FROM _prisma_migrations ORDER BY started_at')).rows.map(
    ({ migration_name }) => migration_name,
  );
/** Migrates in a process of its own and gives what that one applied. */
async function migrateElsewhere(url: string): Promise<string[]> {
  const script = `import { migrate } from '${built}'; console.log(JSON.stringify(await migrate(process.argv[1])))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, url]);
  return JSON.parse(stdout);
}

describe('migrate', () => {
  it('applies each migration once, in order, and then none', async () => {
    const { url, client } = await emptyDatabase();
    expect(await migrate(url)).toEqual(await names());
    expect(await applied(client)).toEqual(await names());
    expect(await migrate(url)).toEqual([]);
  });

  it('of several processes at once applies each migration once', async () => {
    const { url, client } = await emptyDatabase();
    const answers = await Promise.all([migrateElsewhere(url), migrateElsewhere(url), migrate(url)]);
    expect(answers.flat()).toEqual(await names());
    expect(await applied(client)).toEqual(await names());
  });

  it('applies only what is missing', async () => {
    const { url, client } = await emptyDatabase();
    await migrate(url);
    const later = { name: '99999999000000_later', sql: 'CREATE TABLE "Later" (id int);', checksum: '' };
    expect(await migrate(url, [...(await readMigrations()), later])).toEqual([later.name]);
    expect(await applied(client)).toEqual([...(await names()), later.name]);
  });

  it('stops at a migration that fails, names it, and does not go on', async () => {
    const { url, client } = await emptyDatabase();
    const bad = { name: '99999998000000_bad', sql: 'CREATE TABLE nothing.nowhere (id int);', checksum: '' };
    const later = { name: '99999999000000_later', sql: 'CREATE TABLE "Later" (id int);', checksum: '' };
    const all = [...(await readMigrations()), bad, later];
    await expect(migrate(url, all)).rejects.toThrow(bad.name);
    expect(await readMigrationStatus(client, all)).toMatchObject({ failed: [bad.name], pending: [later.name] });
    await expect(migrate(url, all)).rejects.toThrow(bad.name);
  });
});

describe('the status', () => {
  it('of an empty database is that everything is pending', async () => {
    const { client } = await emptyDatabase();
    const status = await readMigrationStatus(client, await readMigrations());
    expect(status).toEqual({ applied: [], pending: await names(), failed: [], edited: [] });
    expect(isCurrent(status)).toBe(false);
  });

  it('tells applied, edited and failed migrations apart', async () => {
    const { url, client } = await emptyDatabase();
    await migrate(url);
    const migrations = await readMigrations();
    const [first = ''] = await names();
    const status = await readMigrationStatus(client, migrations);
    expect(status).toEqual({ applied: await names(), pending: [], failed: [], edited: [] });
    expect(isCurrent(status)).toBe(true);

    const edited = migrations.map((migration) => ({ ...migration, checksum: 'changed' }));
    expect((await readMigrationStatus(client, edited)).edited).toEqual(await names());

    await client.query('UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1', [first]);
    const failed = await readMigrationStatus(client, migrations);
    expect(failed.failed).toEqual([first]);
    expect(isCurrent(failed)).toBe(false);
  });

  it('does not count a migration that was rolled back', async () => {
    const { url, client } = await emptyDatabase();
    await migrate(url);
    await client.query('UPDATE _prisma_migrations SET rolled_back_at = now()');
    expect((await readMigrationStatus(client, await readMigrations())).pending).toEqual(await names());
  });
});

describe('reset', () => {
  it('drops everything and migrates anew', async () => {
    const { url, client } = await emptyDatabase();
    await migrate(url);
    await client.query(`INSERT INTO "User" (email, password) VALUES ('a@example.org', 'x')`);
    await client.query('CREATE TABLE "Other" (id int)');
    expect(await resetDatabase(url)).toEqual(await names());
    expect((await client.query('SELECT * FROM "User"')).rows).toEqual([]);
    expect((await client.query(`SELECT to_regclass('"Other"') AS there`)).rows[0].there).toBeNull();
  });
});

describe('the Prisma schema', () => {
  let migrated: pg.Client;
  let ofSchema: pg.Client;
  beforeAll(async () => {
    const [one, two] = [await emptyDatabase(), await emptyDatabase()];
    await migrate(one.url);
    const content = await readFile(schemaFile, 'utf8');
    const { stdout: sql } = await withSchemaEngine(two.url, (engine) =>
      engine.diff({
        from: { tag: 'empty' },
        to: { tag: 'schemaDatamodel', files: [{ path: schemaFile, content }] },
        script: true,
        exitCode: null,
        filters: noFilter,
      }),
    );
    await two.client.query(sql ?? '');
    [migrated, ofSchema] = [one.client, two.client];
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
    const expected = await columns(ofSchema);
    expect(expected.length).toBeGreaterThan(80);
    expect(await columns(migrated)).toEqual(expected);
  });

  it('agrees with the migrations on enums, keys and references', async () => {
    expect(await enums(migrated)).toEqual(await enums(ofSchema));
    expect(await constraints(migrated)).toEqual(await constraints(ofSchema));
  });

  it('has no index that the migrations lack', async () => {
    expect(await indexes(migrated)).toEqual(expect.arrayContaining(await indexes(ofSchema)));
  });
});
