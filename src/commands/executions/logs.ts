import { Flags } from '@oclif/core';
import { executionId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/base-command.js';

export default class ExecutionsLogs extends ClientCommand {
  static override description = `Print what an execution wrote.

One that is running is followed to its end. Ctrl+C leaves it running. With --no-follow the command ends when nothing more
has come for two seconds.`;
  static override examples = [
    '<%= config.bin %> executions logs 0123456789abcdef0123456789abcdef',
    '<%= config.bin %> executions logs 0123456789abcdef0123456789abcdef --no-follow --json',
  ];
  static override args = { id: executionId({ required: true }) };
  static override flags = {
    raw: Flags.boolean({ description: 'Print the output as it is, without numbers and times' }),
    follow: Flags.boolean({ char: 'f', description: 'Follow it to its end', default: true, allowNo: true }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ExecutionsLogs);
    const api = await this.connect(flags);
    const { printLogs } = await import('../../cli/executions/print-logs.js');
    return printLogs(api, args.id, {
      follow: flags.follow,
      json: this.jsonEnabled(),
      raw: flags.raw,
      tell: (line) => this.tell(line),
    });
  }
}
