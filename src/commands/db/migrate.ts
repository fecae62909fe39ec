import { BaseCommand } from '../../cli/command/base-command.js';
import { runStep } from '../../cli/output/steps.js';

export default class DbMigrate extends BaseCommand {
  static override description = 'Apply pending migrations. Several processes may run this command at once.';
  static override examples = ['reefguide db migrate', 'DATABASE_URL=postgresql://… reefguide db migrate --json'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    await this.parse(DbMigrate);
    const { withDatabase } = await import('../../cli/command/with-database.js');
    const { migrate } = await import('../../database/migrations.js');
    const applied = await runStep('Migrate the database', (report) =>
      withDatabase(report, ({ directUrl }) => migrate(directUrl)),
    );
    for (const name of applied) this.log(`Applied ${name}`);
    if (applied.length === 0) this.log('The database is up to date.');
    return { applied };
  }
}
