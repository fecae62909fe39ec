import { Args, Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { readSecretValue } from '../../cli/executions/read-secret-value.js';

export default class SecretsUpdate extends ClientCommand {
  static override description = `Change a secret.

Without flags, reads a new value from standard input or asks for the value. With flags, changes only the named fields.`;
  static override examples = [
    `printf %s "$TOKEN" | reefguide secrets update data-token`,
    'reefguide secrets update data-token --key-name DATA_KEY',
  ];
  static override args = { name: Args.string({ description: 'Name of the secret', required: true }) };
  static override flags = {
    'key-name': Flags.string({ description: 'New environment variable' }),
    description: Flags.string({ description: 'New description' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SecretsUpdate);
    const { 'key-name': keyName, description } = flags;
    const api = await this.connect(flags);
    const onlyValue = keyName === undefined && description === undefined;
    await api.updateSecret(args.name, {
      key_name: keyName,
      description,
      value: onlyValue ? await readSecretValue() : undefined,
    });
    this.log(`Changed ${args.name}`);
    return { name: args.name };
  }
}
