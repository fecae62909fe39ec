import { ClientCommand } from '../../cli/command/client-command.js';
import { formatAge, formatTable } from '../../cli/output/format.js';

export default class UsersList extends ClientCommand {
  static override description = 'List the accounts with their roles, without keys.';
  static override examples = ['reefguide users list', 'reefguide users list --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(UsersList);
    const { users } = await (await this.connect(flags)).apiKeyUsers();
    if (this.jsonEnabled()) return { users };
    const now = Date.now();
    const rows = users.map(({ email, roles, last_used, revoked }) => [
      email,
      roles.join(', ') || '(none)',
      last_used ? formatAge(last_used, now) : '',
      revoked ? 'revoked' : '',
    ]);
    this.log(formatTable(['E-MAIL', 'ROLES', 'KEY LAST USED', ''], rows));
    return { users };
  }
}
