import { Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { executionStatuses } from '../../contract/executions.js';

export default class ExecutionsList extends ClientCommand {
  static override description = 'List executions, newest first.';
  static override examples = [
    '<%= config.bin %> executions list',
    '<%= config.bin %> executions list --status STARTING,RUNNING --limit 0 --json',
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
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ExecutionsList);
    const { status, limit } = flags;
    const executions = await (await this.connect(flags)).executions({ status, limit });
    if (this.jsonEnabled()) return executions;
    if (executions.length === 0) this.report('No executions.');
    else this.log((await import('../../cli/output/resources.js')).formatExecutions(executions, Date.now()));
    return executions;
  }
}
