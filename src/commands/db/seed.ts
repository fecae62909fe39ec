import { BaseCommand } from '../../cli/command/base-command.js';
import { serverEnvironment } from '../../environment/server.js';
import { parseEnvironment } from '../../environment/variables.js';
import { homeDirectory } from '../../platform/home.js';

export default class DbSeed extends BaseCommand {
  static override description = `Create the service accounts in ADMIN_, MANAGER_ and WORKER_USERNAME and _PASSWORD.

With the embedded database, creates the accounts of the local system.`;
  static override examples = ['reefguide db seed'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    await this.parse(DbSeed);
    const { withDatabase } = await import('../../cli/command/with-database.js');
    const { seedAccounts } = await import('../../server/seed.js');
    const { migrate } = await import('../../database/migrations.js');
    const { openDatabase } = await import('../../database/database.js');
    const environment = parseEnvironment(serverEnvironment, process.env);
    const { accounts } = await withDatabase(this.report, async ({ url, directUrl, embedded }) => {
      await migrate(directUrl);
      const database = openDatabase({ url, poolSize: 2 });
      try {
        return await seedAccounts(database, environment, embedded ? homeDirectory() : undefined);
      } finally {
        await database.close();
      }
    });
    const seeded = accounts.map(({ email, role }) => ({ email, role }));
    for (const { email, role } of seeded) this.log(`${role.padEnd(8)} ${email}`);
    if (seeded.length === 0) this.report('No accounts are named: set ADMIN_USERNAME and ADMIN_PASSWORD, and so on.');
    return { seeded };
  }
}
