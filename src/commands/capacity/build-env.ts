import { existsSync } from 'node:fs';
import path from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { colorLevel } from '../../cli/output/colors.js';
import { runStep } from '../../cli/output/steps.js';
import { SetupError } from '../../contract/errors.js';
import { savePrivateFile } from '../../platform/files.js';

export default class CapacityBuildEnv extends BaseCommand {
  static override description = `Write the capacity manager's .env file from a deployed stack.

Finds the manager's task definition in the outputs of the stack, copies its environment, and reads its secrets from Secrets
Manager. Without STACK, reads the name of the stack from configs/$CONFIG_FILE_NAME.`;
  static override examples = [
    'reefguide capacity build-env reefguide-prod',
    'CONFIG_FILE_NAME=sample reefguide capacity build-env --output .env.sample --force',
  ];
  static override args = { stack: Args.string({ description: 'Name of the CloudFormation stack' }) };
  static override flags = {
    output: Flags.string({ char: 'o', description: 'File to write', default: '.env' }),
    force: Flags.boolean({ description: 'Overwrite the file without asking' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CapacityBuildEnv);
    const { output, force } = flags;
    const stackName = args.stack ?? (await readStackName());
    const file = path.resolve(output);
    if (existsSync(file) && !force) await this.confirm(`Overwrite ${output}?`, `${output} exists already`, '--force');
    const { buildEnv } = await import('../../deployment/build-env.js');
    const { createAws } = await import('../../aws/clients.js');
    const missing = await runStep(
      `Write ${output}`,
      async (report) => {
        const reportLevel = (level: 'INFO' | 'WARN', message: string) =>
          report(`${colorLevel(level, process.stderr)} ${message}`);
        const built = await buildEnv({ aws: createAws(), stackName, report: reportLevel });
        await savePrivateFile(file, built.text);
        const lines = built.text.trimEnd().split('\n').length;
        reportLevel('INFO', `Wrote ${output}: ${lines} lines. Load it with: set -a; source ${output}; set +a`);
        return built.missing;
      },
      { keepLines: true },
    );
    if (missing.length > 0)
      throw new SetupError(`${output} lacks ${missing.join(', ')}`, {
        hint: 'Correct the causes in the warnings above, and run this command again.',
      });
  }
}

async function readStackName(): Promise<string> {
  if (!process.env.CONFIG_FILE_NAME)
    throw new SetupError('No stack is named', {
      hint: 'Name one, as in `reefguide capacity build-env STACK`, or set CONFIG_FILE_NAME.',
    });
  const { loadDeployment } = await import('../../deployment/load.js');
  return (await loadDeployment(process.env.CONFIG_FILE_NAME)).stackName;
}
