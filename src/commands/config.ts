import { Args, Flags } from '@oclif/core';
import { usageError } from '../cli/command/arguments.js';
import { BaseCommand } from '../cli/command/base-command.js';
import { abortOnSignal } from '../cli/command/signals.js';
import { runStep } from '../cli/output/steps.js';
import { isPlainName } from '../deployment/repository/paths.js';

const directoryName = Args.custom<string>({
  parse: async (name) => {
    if (!isPlainName(name))
      throw usageError(`Invalid directory name ${JSON.stringify(name)}: expected letters, digits, _ - and .`);
    return name;
  },
});

export default class Config extends BaseCommand {
  static override description =
    'Merge the configuration of a namespace and stage from its repository into the working tree.\n' +
    'Merges <namespace>/base first and <namespace>/<stage> second, and remembers the repository in env.json.';
  static override examples = [
    'reefguide config reef dev --target git@github.com:example/configuration.git',
    'reefguide config reef dev --dry-run',
    'reefguide config reef feature --branch next --force',
    'reefguide config reef dev --repo-dir ../configuration',
  ];
  static override args = {
    namespace: directoryName({ description: 'Directory in the repository', required: true }),
    stage: directoryName({ description: 'Directory in the namespace, other than base', required: true }),
  };
  static override flags = {
    target: Flags.string({
      char: 't',
      description: 'Address or local path of the repository to clone (default: the remembered repository)',
      exclusive: ['repo-dir'],
    }),
    'repo-dir': Flags.string({ char: 'd', description: 'Directory of an existing checkout, instead of a clone' }),
    branch: Flags.string({
      char: 'b',
      description: 'Branch or tag to clone (default: the default branch)',
      exclusive: ['repo-dir'],
    }),
    force: Flags.boolean({ description: 'Overwrite files that git tracks in the working tree' }),
    'dry-run': Flags.boolean({ description: 'Show the changes without writing files' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Config);
    const { signal } = abortOnSignal();
    const { mergeConfiguration } = await import('../deployment/repository/merge.js');
    const request = { ...args, ...flags, repoDir: flags['repo-dir'], dryRun: flags['dry-run'] };
    const context = { cwd: process.cwd(), env: process.env, signal };
    const merged = await runStep(
      'Merge the configuration',
      (report) => mergeConfiguration(request, { ...context, report }),
      { keepLines: true },
    );
    for (const { state, path, from } of merged.files) this.log(`${state.padEnd(7)}  ${path}  ${from}`);
    const count = merged.files.filter(({ state }) => state !== 'same').length;
    const files = count === 1 ? '1 file' : `${count} files`;
    if (flags['dry-run']) this.report(`Would write ${files}. Wrote nothing (--dry-run).`);
    else this.report(count === 0 ? 'All files are up to date.' : `Wrote ${files}.`);
    return merged;
  }
}
