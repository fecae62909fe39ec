import { Args, Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { readSecretValue } from '../../cli/executions/read-secret-value.js';

export default class SecretsCreate extends ClientCommand {
  static override description = 'Store a secret. Reads the value from standard input, or asks for the value.';
  static override examples = [
    `printf %s "$TOKEN" | reefguide secrets create data-token --key-name DATA_TOKEN`,
    'reefguide secrets create data-token --key-name DATA_TOKEN --description "Reads the survey data"',
  ];
  static override args = { name: Args.string({ description: 'Name of the secret', required: true }) };
  static override flags = {
    'key-name': Flags.string({ description: 'Environment variable that passes the value to commands', required: true }),
    description: Flags.string({ description: 'Purpose of the secret' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SecretsCreate);
    const api = await this.connect(flags);
    const { name } = args;
    const value = await readSecretValue();
    await api.createSecret({ name, key_name: flags['key-name'], description: flags.description, value });
    this.log(`Stored ${name}`);
    return { name };
  }
}
