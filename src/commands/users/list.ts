import { ClientCommand } from '../../cli/command/base-command.js';

export default class UsersList extends ClientCommand {
  static override description = 'Show every account with its roles; never a key.';
  static override examples = ['<%= config.bin %> users list', '<%= config.bin %> users list --json'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(UsersList);
    const { users } = await (await this.connect(flags)).people();
    if (this.jsonEnabled()) return { users };
    const [{ table }, { ago }] = await Promise.all([
      import('../../cli/output/table.js'),
      import('../../cli/output/format.js'),
    ]);
    const now = Date.now();
    const rows = users.map(({ email, roles, last_used, revoked }) => [
      email,
      roles.join(', ') || '(none)',
      last_used ? ago(last_used, now) : '',
      revoked ? 'revoked' : '',
    ]);
    this.log(table(['E-MAIL', 'ROLES', 'KEY LAST USED', ''], rows));
    return { users };
  }
}
