import { jobId } from '../../cli/command/arguments.js';
import { JobCommand } from '../../cli/jobs/job-command.js';

export default class JobsWatch extends JobCommand {
  static override description = 'Follow a job to the end; exit with 0 when the job succeeded, or else with 1.';
  static override examples = ['reefguide jobs watch 17'];
  static override args = { id: jobId({ required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsWatch);
    return this.watch(await this.connect(flags), args.id);
  }
}
