import { Args } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';

export default class SecretsRemove extends ClientCommand {
  static override description = 'Remove a secret.';
  static override examples = ['reefguide secrets remove data-token'];
  static override args = { name: Args.string({ description: 'Name of the secret', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SecretsRemove);
    await (await this.connect(flags)).removeSecret(args.name);
    this.log(`Removed ${args.name}`);
    return { name: args.name };
  }
}
