import { Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { colorStatus } from '../../cli/output/colors.js';
import { formatAge, formatTable } from '../../cli/output/format.js';
import { type JobBody, jobStatuses } from '../../contract/jobs.js';

export default class JobsList extends ClientCommand {
  static override description = 'List jobs, newest first: your jobs, or all jobs for administrators and analysts.';
  static override examples = ['reefguide jobs list', 'reefguide jobs list --status FAILED --limit 5 --json'];
  static override flags = {
    status: Flags.string({ description: 'Only jobs with this status', options: [...jobStatuses] }),
    type: Flags.string({ description: 'Only jobs of this type' }),
    limit: Flags.integer({ description: 'Maximum number of jobs', default: 20, min: 1, max: 500 }),
    cursor: Flags.string({ description: 'Continue after an earlier page' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(JobsList);
    const api = await this.connect(flags);
    const { status, type, limit, cursor } = flags;
    const page = await api.listJobs({ status, type, limit, cursor });
    if (this.jsonEnabled()) return page;
    if (page.jobs.length === 0) this.report('No jobs.');
    else {
      this.log(formatJobs(page.jobs));
      const more = page.nextCursor ? `; more with --cursor ${page.nextCursor}` : '';
      this.report(`${page.jobs.length} of ${page.total}${more}`);
    }
    return page;
  }
}

function formatJobs(jobs: readonly JobBody[]): string {
  const now = Date.now();
  const rows = jobs.map((job) => [
    job.id,
    job.type,
    colorStatus(job.status),
    job.progress ? `${Math.round(job.progress.fraction * 100)} %` : '',
    `${job.attempts}/${job.max_attempts}`,
    formatAge(job.created_at, now),
    formatAge(job.updated_at, now),
  ]);
  return formatTable(['ID', 'TYPE', 'STATUS', 'PROGRESS', 'ATTEMPTS', 'CREATED', 'CHANGED'], rows);
}
