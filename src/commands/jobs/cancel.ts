import { jobId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/base-command.js';

export default class JobsCancel extends ClientCommand {
  static override description = 'Cancel a job that waits or runs.';
  static override examples = ['<%= config.bin %> jobs cancel 17'];
  static override args = { id: jobId({ required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsCancel);
    const answer = await (await this.connect(flags)).cancel(args.id);
    this.log(`Job ${args.id} ${answer.job.status}`);
    return answer;
  }
}
