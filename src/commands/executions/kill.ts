import { executionId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/client-command.js';

export default class ExecutionsKill extends ClientCommand {
  static override description = 'Stop a running execution. An ended execution stays unchanged.';
  static override examples = ['reefguide executions kill 0123456789abcdef0123456789abcdef'];
  static override args = { id: executionId({ required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ExecutionsKill);
    const killed = await (await this.connect(flags)).killExecution(args.id);
    this.log(`Execution ${args.id} ${killed ? 'is being stopped' : 'had already ended'}`);
    return { execution_id: args.id, killed: killed !== undefined };
  }
}
