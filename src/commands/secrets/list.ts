import { ClientCommand } from '../../cli/command/client-command.js';

export default class SecretsList extends ClientCommand {
  static override description = 'List the secrets, without their values.';
  static override examples = ['<%= config.bin %> secrets list'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(SecretsList);
    const all = await (await this.connect(flags)).secrets();
    if (this.jsonEnabled()) return all;
    const [{ formatTable }, { formatAge }] = await Promise.all([
      import('../../cli/output/table.js'),
      import('../../cli/output/format.js'),
    ]);
    const now = Date.now();
    const rows = all.secrets.map(({ name, key_name, description, created_by, updated_at }) => [
      name,
      key_name,
      description,
      created_by ?? '',
      formatAge(updated_at, now),
    ]);
    this.log(
      rows.length === 0
        ? 'No secrets yet.'
        : formatTable(['NAME', 'VARIABLE', 'DESCRIPTION', 'MADE BY', 'CHANGED'], rows),
    );
    return all;
  }
}
