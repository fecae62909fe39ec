import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { formatTable } from '../../cli/output/format.js';
import { listPlaybooks } from '../../cli/playbooks/files.js';

export default class PlaybookList extends BaseCommand {
  static override description = 'List the playbooks of .reefguide/playbooks or of another directory.';
  static override examples = ['reefguide playbook list', 'reefguide playbook list examples/playbooks --json'];
  static override args = { directory: Args.string({ description: 'Directory of playbooks' }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args } = await this.parse(PlaybookList);
    const { directory, playbooks } = await listPlaybooks(args.directory);
    if (this.jsonEnabled()) return { playbooks };
    if (playbooks.length === 0) {
      this.report(`No playbooks yet: put YAML files with a list of \`commands\` into ${directory}.`);
      return { playbooks };
    }
    const rows = playbooks.map(({ name, description, variables, problems }) => {
      const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
      return [name, problems.length === 0 ? description : `invalid: ${count}`, variables.join(', ')];
    });
    this.log(formatTable(['NAME', 'DESCRIPTION', 'VARIABLES'], rows));
    for (const problem of playbooks.flatMap(({ problems }) => problems)) this.report(problem);
    return { playbooks };
  }
}
