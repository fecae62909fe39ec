import { BaseCommand } from '../../cli/command/base-command.js';

export default class DbMigrate extends BaseCommand {
  static override description = 'Apply the migrations that the database lacks. Several processes may do so at once.';
  static override examples = [
    '<%= config.bin %> db migrate',
    'DATABASE_URL=postgresql://… <%= config.bin %> db migrate --json',
  ];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    await this.parse(DbMigrate);
    const [{ withDatabase }, { migrate }] = await Promise.all([
      import('../../cli/command/with-database.js'),
      import('../../database/migrations.js'),
    ]);
    const applied = await withDatabase(
      (line) => this.tell(line),
      ({ directUrl }) => migrate(directUrl),
    );
    for (const name of applied) this.log(`Applied ${name}`);
    if (applied.length === 0) this.log('The database is up to date.');
    return { applied };
  }
}
