import { ClientCommand } from '../../cli/command/client-command.js';
import { formatAge, formatTable } from '../../cli/output/format.js';

export default class SecretsList extends ClientCommand {
  static override description = 'List the secrets, without their values.';
  static override examples = ['reefguide secrets list'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(SecretsList);
    const all = await (await this.connect(flags)).secrets();
    if (this.jsonEnabled()) return all;
    const now = Date.now();
    const rows = all.secrets.map(({ name, key_name, description, created_by, updated_at }) => [
      name,
      key_name,
      description,
      created_by ?? '',
      formatAge(updated_at, now),
    ]);
    const head = ['NAME', 'VARIABLE', 'DESCRIPTION', 'MADE BY', 'CHANGED'];
    this.log(rows.length === 0 ? 'No secrets yet.' : formatTable(head, rows));
    return all;
  }
}
