import { Flags } from '@oclif/core';
import { executionId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/client-command.js';
import { printLogs } from '../../cli/executions/print-logs.js';

export default class ExecutionsLogs extends ClientCommand {
  static override description = `Print the logs of an execution.

Follows a running execution to the end. Ctrl+C leaves the execution running. With --no-follow, exits after two seconds
without a new line.`;
  static override examples = [
    'reefguide executions logs 0123456789abcdef0123456789abcdef',
    'reefguide executions logs 0123456789abcdef0123456789abcdef --no-follow --json',
  ];
  static override args = { id: executionId({ required: true }) };
  static override flags = {
    raw: Flags.boolean({ description: 'Print the output unchanged, without line numbers and times' }),
    follow: Flags.boolean({
      char: 'f',
      description: 'Follow a running execution to the end',
      default: true,
      allowNo: true,
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ExecutionsLogs);
    const api = await this.connect(flags);
    const { follow, raw } = flags;
    return printLogs(api, args.id, { follow, raw, json: this.jsonEnabled(), report: this.report });
  }
}
