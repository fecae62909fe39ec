import { jobId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/base-command.js';

export default class JobsWatch extends ClientCommand {
  static override description = 'Follow a job to its end; exits with 0 when it succeeded, 1 when it did not.';
  static override examples = ['<%= config.bin %> jobs watch 17'];
  static override args = { id: jobId({ required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsWatch);
    const { watchToEnd } = await import('../../cli/jobs/watch.js');
    const end = await watchToEnd(await this.connect(flags), args.id);
    this.log(`Job ${args.id} ${end.job.status}`);
    if (end.job.status !== 'SUCCEEDED') process.exitCode = 1;
    return end;
  }
}
