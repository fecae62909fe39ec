import { jobId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/client-command.js';

export default class JobsCancel extends ClientCommand {
  static override description = 'Cancel a waiting or running job.';
  static override examples = ['<%= config.bin %> jobs cancel 17'];
  static override args = { id: jobId({ required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsCancel);
    const answer = await (await this.connect(flags)).cancel(args.id);
    const { colorStatus } = await import('../../cli/output/colors.js');
    this.log(`Job ${args.id} ${colorStatus(answer.job.status)}`);
    return answer;
  }
}
