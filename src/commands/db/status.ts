import { BaseCommand } from '../../cli/command/base-command.js';

export default class DbStatus extends BaseCommand {
  static override description = 'Show the applied and pending migrations; exit with 1 when some are pending.';
  static override examples = ['reefguide db status', 'reefguide db status --json'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    await this.parse(DbStatus);
    const { withDatabase } = await import('../../cli/command/with-database.js');
    const { isCurrent } = await import('../../database/migrations.js');
    const { status, database } = await withDatabase(this.report, ({ directUrl, embedded }) =>
      readStatus(directUrl, embedded),
    );
    this.log(`Database  ${database}`);
    for (const name of status.applied)
      this.log(`applied   ${name}${status.edited.includes(name) ? '  (the file was changed afterwards)' : ''}`);
    for (const name of status.failed) this.log(`failed    ${name}`);
    for (const name of status.pending) this.log(`pending   ${name}`);
    if (!isCurrent(status)) {
      this.report('Apply pending migrations with: reefguide db migrate');
      process.exitCode = 1;
    }
    return { database, ...status };
  }
}

async function readStatus(directUrl: string, embedded: boolean) {
  const { default: pg } = await import('pg');
  const { describeUrl } = await import('../../database/connect.js');
  const { readMigrationStatus, readMigrations } = await import('../../database/migrations.js');
  const client = new pg.Client({ connectionString: directUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return {
      status: await readMigrationStatus(client, await readMigrations()),
      database: `${describeUrl(directUrl)}${embedded ? ' (embedded)' : ''}`,
    };
  } finally {
    await client.end();
  }
}
