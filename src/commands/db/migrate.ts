import { BaseCommand } from '../../cli/command/base-command.js';

export default class DbMigrate extends BaseCommand {
  static override description = 'Apply pending migrations. Several processes may run this command at once.';
  static override examples = [
    '<%= config.bin %> db migrate',
    'DATABASE_URL=postgresql://… <%= config.bin %> db migrate --json',
  ];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    await this.parse(DbMigrate);
    const [{ withDatabase }, { migrate }, { runStep }] = await Promise.all([
      import('../../cli/command/with-database.js'),
      import('../../database/migrations.js'),
      import('../../cli/output/steps.js'),
    ]);
    const applied = await runStep('Migrate the database', (report) =>
      withDatabase(report, ({ directUrl }) => migrate(directUrl)),
    );
    for (const name of applied) this.log(`Applied ${name}`);
    if (applied.length === 0) this.log('The database is up to date.');
    return { applied };
  }
}
