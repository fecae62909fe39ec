import type { Api } from '../../client/api.js';
import type { JobDetail } from '../../contract/jobs.js';
import { ClientCommand } from '../command/client-command.js';

/** Follows jobs. */
export abstract class JobCommand extends ClientCommand {
  /** Follows a job to the end and prints the final status. Sets the exit code 1 unless the job succeeded. */
  protected async watch(api: Api, jobId: number): Promise<{ job: JobDetail }> {
    const [{ watchJob }, { colorStatus }] = await Promise.all([import('./watch.js'), import('../output/colors.js')]);
    const { job } = await watchJob(api, jobId);
    this.log(`Job ${jobId} ${colorStatus(job.status)}`);
    if (job.status !== 'SUCCEEDED') process.exitCode = 1;
    return { job };
  }
}
