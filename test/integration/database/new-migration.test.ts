import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

let prismaDirectory: string;
beforeAll(async () => {
  prismaDirectory = await mkdtemp(path.join(tmpdir(), 'reefguide-prisma-'));
  await cp(path.join(repository, 'prisma'), prismaDirectory, { recursive: true });
});
afterAll(() => rm(prismaDirectory, { recursive: true, force: true }));

/** Runs `npm run migration -- NAME` on the copy of prisma/. */
async function runMigrationScript(name: string): Promise<{ stdout: string; stderr: string; code?: number }> {
  const script = path.join(repository, 'scripts/new-migration.js');
  return promisify(execFile)(process.execPath, [script, name, prismaDirectory]).catch((error) => error);
}
const readMigrationNames = async () =>
  (await readdir(path.join(prismaDirectory, 'migrations'), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

describe('npm run migration', () => {
  it('writes the difference between migrations and schema once, and drops no partial index or trigger', async () => {
    const schemaFile = path.join(prismaDirectory, 'schema.prisma');
    const schema = await readFile(schemaFile, 'utf8');
    await writeFile(schemaFile, schema.replace('model Job {', 'model Job {\n  label String?'));
    const before = await readMigrationNames();
    const first = await runMigrationScript('add_label');
    expect(first).toMatchObject({ stdout: expect.stringContaining('add_label/migration.sql'), stderr: '' });
    const [added, ...rest] = (await readMigrationNames()).slice(before.length);
    expect(added).toMatch(/^20\d{12}_add_label$/);
    expect(rest).toEqual([]);
    const sql = await readFile(path.join(prismaDirectory, 'migrations', added ?? '', 'migration.sql'), 'utf8');
    expect(sql.trim()).toBe('-- AlterTable\nALTER TABLE "Job" ADD COLUMN     "label" TEXT;');

    const second = await runMigrationScript('add_label_again');
    expect(second).toMatchObject({ stdout: expect.stringContaining('Nothing to change'), stderr: '' });
    expect(await readMigrationNames()).toEqual([...before, added]);
  });

  it.each(['', 'Add-Label', '../escape', 'add_'])('refuses the name "%s"', async (name) => {
    const before = await readMigrationNames();
    const { code, stderr } = await runMigrationScript(name);
    expect(code).toBe(1);
    expect(stderr).toContain(`Invalid migration name "${name}"`);
    expect(await readMigrationNames()).toEqual(before);
  });
});
