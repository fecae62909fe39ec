import { jobId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/base-command.js';

export default class JobsShow extends ClientCommand {
  static override description = 'Show a job with its attempts and results.';
  static override examples = ['<%= config.bin %> jobs show 17', '<%= config.bin %> jobs show 17 --json'];
  static override args = { id: jobId({ required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsShow);
    const answer = await (await this.connect(flags)).job(args.id);
    if (this.jsonEnabled()) return answer;
    const [{ table }, { ago }, { failureReason }] = await Promise.all([
      import('../../cli/output/table.js'),
      import('../../cli/output/format.js'),
      import('../../cli/jobs/watch.js'),
    ]);
    const { job } = answer;
    const now = Date.now();
    const facts: [string, string][] = [
      ['Job', String(job.id)],
      ['Type', job.type],
      ['Status', job.status],
      ['Created', `${ago(job.created_at, now)} (${job.created_at})`],
      ['Input', JSON.stringify(job.input_payload)],
    ];
    if (job.queue_position !== null) facts.push(['Ahead of it', String(job.queue_position)]);
    if (job.progress) facts.push(['Progress', `${Math.round(job.progress.fraction * 100)} % ${job.progress.message}`]);
    const reason = failureReason(job);
    if (reason) facts.push(['Reason', reason]);
    const result = job.assignments.at(-1)?.result?.result_payload;
    if (job.status === 'SUCCEEDED' && result) facts.push(['Result', JSON.stringify(result)]);
    this.log(facts.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n'));
    if (job.assignments.length > 0) {
      const rows = job.assignments.map((assignment, n) => [
        n + 1,
        ago(assignment.created_at, now),
        ago(assignment.completed_at, now),
        assignment.ecs_task_arn,
      ]);
      this.log(`\n${table(['ATTEMPT', 'STARTED', 'ENDED', 'WORKER'], rows)}`);
    }
    return answer;
  }
}
