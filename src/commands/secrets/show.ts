import { Args } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';

export default class SecretsShow extends ClientCommand {
  static override description =
    'Print the value of a secret. Requires the owner, or an account that may read all secrets.';
  static override examples = ['reefguide secrets show data-token'];
  static override args = { name: Args.string({ description: 'Name of the secret', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SecretsShow);
    const { secret } = await (await this.connect(flags)).secret(args.name);
    this.log(secret.value);
    return secret;
  }
}
