import { Args, Errors, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/command/base-command.js';
import { untilStopped } from '../cli/command/signals.js';
import { isPlainName } from '../deployment/repository/plan.js';

const plainName = Args.custom<string>({
  parse: async (name) => {
    if (!isPlainName(name)) {
      throw new Errors.CLIError(`${JSON.stringify(name)} is no name of a folder: use letters, digits, _ - and .`, {
        exit: 2,
      });
    }
    return name;
  },
});

export default class Config extends BaseCommand {
  static override description =
    'Merge the configuration of a namespace and stage from its repository into the working tree.\n' +
    'First <namespace>/base, then <namespace>/<stage> over it. The repository is remembered in env.json.';
  static override examples = [
    '<%= config.bin %> config reef dev --target git@github.com:example/configuration.git',
    '<%= config.bin %> config reef dev --dry-run',
    '<%= config.bin %> config reef feature --branch next --force',
    '<%= config.bin %> config reef dev --repo-dir ../configuration',
  ];
  static override args = {
    namespace: plainName({ description: 'Folder of the repository', required: true }),
    stage: plainName({ description: 'Folder in the namespace, other than base', required: true }),
  };
  static override flags = {
    target: Flags.string({
      char: 't',
      description: 'Address or local path of the repository to clone (default: the remembered one)',
      exclusive: ['repo-dir'],
    }),
    'repo-dir': Flags.string({ char: 'd', description: 'Folder that holds the repository already: clone nothing' }),
    branch: Flags.string({
      char: 'b',
      description: 'Branch or tag to clone (default: that of the repository)',
      exclusive: ['repo-dir'],
    }),
    force: Flags.boolean({ description: 'Also overwrite files that git tracks here' }),
    'dry-run': Flags.boolean({ description: 'Show what would be done, and write nothing' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Config);
    const stopped = new AbortController();
    void untilStopped().then(() => stopped.abort());
    const { mergeConfiguration } = await import('../deployment/repository/merge.js');
    const merged = await mergeConfiguration(
      { ...args, ...flags, repoDir: flags['repo-dir'], dryRun: flags['dry-run'] },
      { cwd: process.cwd(), env: process.env, signal: stopped.signal, tell: (line) => this.tell(line) },
    );
    for (const { state, path, from } of merged.files) this.log(`${state.padEnd(7)}  ${path}  ${from}`);
    const count = merged.files.filter(({ state }) => state !== 'same').length;
    const files = count === 1 ? '1 file' : `${count} files`;
    if (flags['dry-run']) this.tell(`${files} would be written. Nothing was (--dry-run).`);
    else this.tell(count === 0 ? 'Every file is the same already.' : `Wrote ${files}.`);
    return merged;
  }
}
