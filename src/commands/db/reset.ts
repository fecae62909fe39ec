import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { SetupError } from '../../contract/errors.js';

export default class DbReset extends BaseCommand {
  static override description = 'Delete everything in the database and create the schema again, after a confirmation.';
  static override examples = ['reefguide db reset', 'reefguide db reset --force'];
  static override flags = {
    force: Flags.boolean({ description: 'Skip the confirmation' }),
    'yes-delete-remote-data': Flags.boolean({ description: 'With --force, allow a database on another machine' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DbReset);
    const { withDatabase } = await import('../../cli/command/with-database.js');
    const { resetDatabase } = await import('../../database/migrations.js');
    const { describeUrl, isLocalUrl } = await import('../../database/connect.js');
    await withDatabase(this.report, async ({ directUrl }) => {
      const database = `the database at ${describeUrl(directUrl)}`;
      if (!isLocalUrl(directUrl) && !(flags.force && flags['yes-delete-remote-data']))
        throw new SetupError(`Cannot reset ${database}: it is not on this machine`, {
          hint: 'To delete its data, give --force --yes-delete-remote-data.',
        });
      if (!flags.force) {
        const data = `everything in ${database}`;
        await this.confirm(`Delete ${data}?`, `This command deletes ${data}`, '--force');
      }
      await resetDatabase(directUrl);
      this.log(`Reset ${database}.`);
    });
  }
}
