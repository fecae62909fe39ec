import { executionId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/base-command.js';

export default class ExecutionsKill extends ClientCommand {
  static override description = 'Stop an execution. One that has ended already stays as it is.';
  static override examples = ['<%= config.bin %> executions kill 0123456789abcdef0123456789abcdef'];
  static override args = { id: executionId({ required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ExecutionsKill);
    const killed = await (await this.connect(flags)).killExecution(args.id);
    this.log(`Execution ${args.id} ${killed ? 'is being stopped' : 'had ended already'}`);
    return { execution_id: args.id, killed: killed !== undefined };
  }
}
