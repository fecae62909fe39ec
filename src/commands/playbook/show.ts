import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { formatDuration, formatFacts } from '../../cli/output/format.js';
import { loadPlaybook } from '../../cli/playbooks/files.js';

export default class PlaybookShow extends BaseCommand {
  static override description = 'Show the commands and variables of a playbook, without running the playbook.';
  static override examples = [
    'reefguide playbook show examples/playbooks/hello.yaml',
    'reefguide playbook show examples/playbooks/hello.yaml --json',
  ];
  static override args = {
    name: Args.string({ description: 'Name of a playbook, or path of a file', required: true }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args } = await this.parse(PlaybookShow);
    const { file, playbook } = await loadPlaybook(args.name);
    if (this.jsonEnabled()) return { file, ...playbook };
    const { commands, env, secrets, timeout, variables } = playbook;
    this.log(
      formatFacts([
        ['File', file],
        ['Description', playbook.description],
        ['Image', playbook.image],
        ['Git', [playbook.git_repo, playbook.git_ref, playbook.git_path].filter(Boolean).join(' ')],
        ['Secrets', secrets.join(', ')],
        ...Object.entries(env).map(([name, value], n) => [n === 0 ? 'Env' : '', `${name}=${value}`] as const),
        ['Timeout', timeout === undefined ? undefined : formatDuration(timeout)],
        ['Variables', variables.map((name) => `--env ${name}=…`).join(' ')],
      ]),
    );
    this.log(`\n${commands.map((command) => `$ ${command.replaceAll('\n', '\n  ')}`).join('\n')}`);
    return { file, ...playbook };
  }
}
