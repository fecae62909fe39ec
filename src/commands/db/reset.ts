import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { SetupError } from '../../contract/errors.js';

export default class DbReset extends BaseCommand {
  static override description = 'Delete everything in the database and make it anew. Asks first.';
  static override examples = ['<%= config.bin %> db reset', '<%= config.bin %> db reset --force'];
  static override flags = {
    force: Flags.boolean({ description: 'Do not ask' }),
    'yes-delete-remote-data': Flags.boolean({
      description: 'With --force: also a database that is not on this machine',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DbReset);
    const [{ withDatabase }, { resetDatabase }, { describeUrl, isLocalUrl }] = await Promise.all([
      import('../../cli/command/with-database.js'),
      import('../../database/migrations.js'),
      import('../../database/connect.js'),
    ]);
    await withDatabase(
      (line) => this.tell(line),
      async ({ directUrl }) => {
        const where = describeUrl(directUrl);
        if (!isLocalUrl(directUrl) && !(flags.force && flags['yes-delete-remote-data'])) {
          throw new SetupError(`The database at ${where} is not on this machine`, {
            hint: 'If you mean it: --force --yes-delete-remote-data.',
          });
        }
        if (!flags.force) {
          const what = `everything in the database at ${where}`;
          await this.confirm(`Delete ${what}?`, `This deletes ${what}`, '--force');
        }
        await resetDatabase(directUrl);
        this.log(`The database at ${where} is new.`);
      },
    );
  }
}
