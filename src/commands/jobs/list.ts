import { Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/base-command.js';

const statuses = ['PENDING', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'];

export default class JobsList extends ClientCommand {
  static override description = 'List jobs, newest first: yours, or everybody’s for administrators and analysts.';
  static override examples = [
    '<%= config.bin %> jobs list',
    '<%= config.bin %> jobs list --status FAILED --limit 5 --json',
  ];
  static override flags = {
    status: Flags.string({ description: 'Only jobs in this status', options: statuses }),
    type: Flags.string({ description: 'Only jobs of this type' }),
    limit: Flags.integer({ description: 'How many', default: 20, min: 1, max: 500 }),
    cursor: Flags.string({ description: 'Go on from an earlier page' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(JobsList);
    const api = await this.connect(flags);
    const { status, type, limit, cursor } = flags;
    const page = await api.listJobs({ status, type, limit, cursor });
    if (this.jsonEnabled()) return page;
    const [{ table }, { ago }] = await Promise.all([
      import('../../cli/output/table.js'),
      import('../../cli/output/format.js'),
    ]);
    if (page.jobs.length === 0) this.tell('No jobs.');
    else {
      const now = Date.now();
      const progress = ({ progress }: (typeof page.jobs)[number]) =>
        progress ? `${Math.round(progress.fraction * 100)} %` : '';
      this.log(
        table(
          ['ID', 'TYPE', 'STATUS', 'PROGRESS', 'ATTEMPTS', 'CREATED', 'CHANGED'],
          page.jobs.map((job) => [
            job.id,
            job.type,
            job.status,
            progress(job),
            `${job.attempts}/${job.max_attempts}`,
            ago(job.created_at, now),
            ago(job.updated_at, now),
          ]),
        ),
      );
      this.tell(
        `${page.jobs.length} of ${page.total}${page.nextCursor ? `; more with --cursor ${page.nextCursor}` : ''}`,
      );
    }
    return page;
  }
}
