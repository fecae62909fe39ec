import { BaseCommand } from '../../cli/command/base-command.js';

export default class DbSeed extends BaseCommand {
  static override description =
    `Make the service accounts that the environment names (ADMIN_, MANAGER_ and WORKER_USERNAME and _PASSWORD), or those of
the local system when the database is the embedded one.`;
  static override examples = ['<%= config.bin %> db seed'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    await this.parse(DbSeed);
    const [{ withDatabase }, { seedAccounts }] = await Promise.all([
      import('../../cli/command/with-database.js'),
      import('../../server/seed.js'),
    ]);
    const { parseEnvironment, serverEnvironment } = await import('../../environment/server.js');
    const { homeDirectory } = await import('../../platform/home.js');
    const { migrate } = await import('../../database/migrations.js');
    const { openDatabase } = await import('../../database/database.js');
    const environment = parseEnvironment(serverEnvironment, process.env);
    const seeded = await withDatabase(
      (line) => this.tell(line),
      async ({ url, directUrl, embedded }) => {
        await migrate(directUrl);
        const database = openDatabase({ url, poolSize: 2 });
        try {
          return (await seedAccounts(database, environment, embedded ? homeDirectory() : undefined)).accounts.map(
            ({ email, role }) => ({ email, role }),
          );
        } finally {
          await database.close();
        }
      },
    );
    for (const { email, role } of seeded) this.log(`${role.padEnd(8)} ${email}`);
    if (seeded.length === 0) this.tell('No accounts are named: set ADMIN_USERNAME and ADMIN_PASSWORD, and so on.');
    return { seeded };
  }
}
