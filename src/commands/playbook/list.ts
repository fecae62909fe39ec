import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';

export default class PlaybookList extends BaseCommand {
  static override description = 'List the playbooks of .reefguide/playbooks, or of another folder.';
  static override examples = [
    '<%= config.bin %> playbook list',
    '<%= config.bin %> playbook list examples/playbooks --json',
  ];
  static override args = { folder: Args.string({ description: 'Folder of playbooks' }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args } = await this.parse(PlaybookList);
    const { listPlaybooks, shownFolder } = await import('../../cli/playbooks/files.js');
    const playbooks = await listPlaybooks(args.folder);
    if (this.jsonEnabled()) return { playbooks };
    const { table } = await import('../../cli/output/table.js');
    const rows = playbooks.map(({ name, description, variables, problems }) => [
      name,
      problems.length > 0
        ? `broken: ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`
        : description,
      variables.join(', '),
    ]);
    if (rows.length === 0)
      this.tell(`No playbooks yet: put YAML files with a list of \`commands\` into ${args.folder ?? shownFolder()}.`);
    else this.log(table(['NAME', 'DESCRIPTION', 'VARIABLES'], rows));
    for (const problem of playbooks.flatMap(({ problems }) => problems)) this.tell(problem);
    return { playbooks };
  }
}
