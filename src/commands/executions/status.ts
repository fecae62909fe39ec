import { executionId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/base-command.js';

export default class ExecutionsStatus extends ClientCommand {
  static override description = 'Show how far an execution is, and how it ended.';
  static override examples = ['<%= config.bin %> executions status 0123456789abcdef0123456789abcdef'];
  static override args = { id: executionId({ required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ExecutionsStatus);
    const state = await (await this.connect(flags)).executionStatus(args.id);
    if (this.jsonEnabled()) return state;
    const [{ facts }, { ago }] = await Promise.all([
      import('../../cli/output/table.js'),
      import('../../cli/output/format.js'),
    ]);
    const now = Date.now();
    const at = (time: string | undefined) => time && `${ago(time, now)} (${time})`;
    this.log(
      facts([
        ['Execution', state.execution_id],
        ['Status', state.status],
        ['Exit code', state.exit_code],
        ['Command', state.command],
        ['Image', state.image_id],
        ['Started', at(state.started_at)],
        ['Ended', at(state.completed_at)],
      ]),
    );
    return state;
  }
}
