import { ClientCommand } from '../cli/command/client-command.js';

export default class Whoami extends ClientCommand {
  static override description = 'Show the account and the API that commands use.';
  static override examples = ['reefguide whoami', 'reefguide whoami --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Whoami);
    const api = await this.connect(flags);
    const { user } = await api.profile();
    this.log(`${user.email} (${user.roles.length > 0 ? user.roles.join(', ') : 'no roles'}) at ${api.baseUrl}`);
    return { ...user, api: api.baseUrl };
  }
}
