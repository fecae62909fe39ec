import { existsSync } from 'node:fs';
import path from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { SetupError } from '../../contract/errors.js';

export default class CapacityBuildEnv extends BaseCommand {
  static override description = `Write the capacity manager's .env file from a deployed stack.

The stack's output names the manager's task definition; its environment is written as it is, and its secrets are read from
Secrets Manager. Without STACK the name comes from configs/$CONFIG_FILE_NAME.`;
  static override examples = [
    '<%= config.bin %> capacity build-env reefguide-prod',
    'CONFIG_FILE_NAME=sample <%= config.bin %> capacity build-env --output .env.sample --force',
  ];
  static override args = { stack: Args.string({ description: 'Name of the CloudFormation stack' }) };
  static override flags = {
    output: Flags.string({ char: 'o', description: 'File to write', default: '.env' }),
    force: Flags.boolean({ description: 'Overwrite the file without asking' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CapacityBuildEnv);
    const file = path.resolve(flags.output);
    const stackName = args.stack ?? (await this.configuredStack());
    if (existsSync(file) && !flags.force) {
      await this.confirm(`Overwrite ${flags.output}?`, `${flags.output} is there already`, '--force');
    }
    const [{ buildEnv }, { createAws }, { savePrivateFile }] = await Promise.all([
      import('../../deployment/build-env.js'),
      import('../../aws/clients.js'),
      import('../../platform/files.js'),
    ]);
    const tell = (level: 'INFO' | 'WARN', message: string) => this.tell(`${level} ${message}`);
    const { text, missing } = await buildEnv({ aws: createAws(), stackName, tell });
    await savePrivateFile(file, text);
    tell('INFO', `Wrote ${flags.output}`);
    if (missing.length > 0) {
      throw new SetupError(`${flags.output} lacks ${missing.join(', ')}`, {
        hint: 'See the warnings above; correct them and run this again.',
      });
    }
  }

  private async configuredStack(): Promise<string> {
    if (!process.env.CONFIG_FILE_NAME) {
      throw new SetupError('Which stack is not said', {
        hint: 'Name it, as in `reefguide capacity build-env STACK`, or set CONFIG_FILE_NAME.',
      });
    }
    const { loadDeployment } = await import('../../deployment/load.js');
    return (await loadDeployment(process.env.CONFIG_FILE_NAME)).stackName;
  }
}
