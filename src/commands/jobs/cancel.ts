import { jobId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/client-command.js';
import { colorStatus } from '../../cli/output/colors.js';

export default class JobsCancel extends ClientCommand {
  static override description = 'Cancel a waiting or running job.';
  static override examples = ['reefguide jobs cancel 17'];
  static override args = { id: jobId({ required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsCancel);
    const answer = await (await this.connect(flags)).cancel(args.id);
    this.log(`Job ${args.id} ${colorStatus(answer.job.status)}`);
    return answer;
  }
}
