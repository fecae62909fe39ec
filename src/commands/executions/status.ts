import { executionId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/client-command.js';
import { colorStatus } from '../../cli/output/colors.js';
import { formatAge, formatFacts } from '../../cli/output/format.js';

export default class ExecutionsStatus extends ClientCommand {
  static override description = 'Show the status of an execution, and its exit code once ended.';
  static override examples = ['reefguide executions status 0123456789abcdef0123456789abcdef'];
  static override args = { id: executionId({ required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ExecutionsStatus);
    const state = await (await this.connect(flags)).executionStatus(args.id);
    if (this.jsonEnabled()) return state;
    const now = Date.now();
    const formatTime = (time: string | undefined) => time && `${formatAge(time, now)} (${time})`;
    this.log(
      formatFacts([
        ['Execution', state.execution_id],
        ['Status', colorStatus(state.status)],
        ['Exit code', state.exit_code],
        ['Command', state.command],
        ['Image', state.image_id],
        ['Started', formatTime(state.started_at)],
        ['Ended', formatTime(state.completed_at)],
      ]),
    );
    return state;
  }
}
