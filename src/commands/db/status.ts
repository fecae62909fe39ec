import { BaseCommand } from '../../cli/command/base-command.js';

export default class DbStatus extends BaseCommand {
  static override description = 'Show which migrations the database has; exits with 1 when it lacks some.';
  static override examples = ['<%= config.bin %> db status', '<%= config.bin %> db status --json'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    await this.parse(DbStatus);
    const [{ withDatabase }, { isCurrent, readMigrationStatus, readMigrations }, { default: pg }, { describeUrl }] =
      await Promise.all([
        import('../../cli/command/with-database.js'),
        import('../../database/migrations.js'),
        import('pg'),
        import('../../database/connect.js'),
      ]);
    const migrations = await readMigrations();
    const { status, where } = await withDatabase(
      (line) => this.tell(line),
      async ({ directUrl, embedded }) => {
        const client = new pg.Client({ connectionString: directUrl, connectionTimeoutMillis: 10_000 });
        await client.connect();
        try {
          return {
            status: await readMigrationStatus(client, migrations),
            where: `${describeUrl(directUrl)}${embedded ? ' (embedded)' : ''}`,
          };
        } finally {
          await client.end();
        }
      },
    );
    this.log(`Database  ${where}`);
    for (const name of status.applied)
      this.log(`applied   ${name}${status.edited.includes(name) ? '  (its file was changed afterwards)' : ''}`);
    for (const name of status.failed) this.log(`failed    ${name}`);
    for (const name of status.pending) this.log(`pending   ${name}`);
    if (!isCurrent(status)) {
      this.tell('Apply what is pending with: reefguide db migrate');
      process.exitCode = 1;
    }
    return { database: where, ...status };
  }
}
