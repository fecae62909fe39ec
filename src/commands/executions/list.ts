import { Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { formatExecutions } from '../../cli/output/resources.js';
import { executionStatuses } from '../../contract/executions.js';

export default class ExecutionsList extends ClientCommand {
  static override description = 'List executions, newest first.';
  static override examples = [
    'reefguide executions list',
    'reefguide executions list --status STARTING,RUNNING --limit 0 --json',
  ];
  static override flags = {
    status: Flags.option({
      description: 'Only executions with these statuses, comma-separated',
      options: executionStatuses,
      multiple: true,
      delimiter: ',',
    })(),
    limit: Flags.integer({ description: 'Maximum number of executions; 0 for all', default: 10, min: 0 }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ExecutionsList);
    const { status, limit } = flags;
    const executions = await (await this.connect(flags)).executions({ status, limit });
    if (this.jsonEnabled()) return executions;
    if (executions.length === 0) this.report('No executions.');
    else this.log(formatExecutions(executions, Date.now()));
    return executions;
  }
}
