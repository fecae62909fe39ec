import { jobId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/client-command.js';
import { getFailureReason } from '../../cli/jobs/job-command.js';
import { colorStatus } from '../../cli/output/colors.js';
import { formatAge, formatFacts, formatTable } from '../../cli/output/format.js';
import type { JobDetail } from '../../contract/jobs.js';

export default class JobsShow extends ClientCommand {
  static override description = 'Show a job with its attempts and results.';
  static override examples = ['reefguide jobs show 17', 'reefguide jobs show 17 --json'];
  static override args = { id: jobId({ required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsShow);
    const answer = await (await this.connect(flags)).job(args.id);
    if (!this.jsonEnabled()) this.log(formatJob(answer.job));
    return answer;
  }
}

function formatJob(job: JobDetail): string {
  const now = Date.now();
  const { progress, assignments, queue_position: queuePosition } = job;
  const result = job.status === 'SUCCEEDED' ? assignments.at(-1)?.result?.result_payload : undefined;
  const facts = formatFacts([
    ['Job', job.id],
    ['Type', job.type],
    ['Status', colorStatus(job.status)],
    ['Created', `${formatAge(job.created_at, now)} (${job.created_at})`],
    ['Input', JSON.stringify(job.input_payload)],
    ['Jobs ahead', queuePosition],
    ['Progress', progress && `${Math.round(progress.fraction * 100)} % ${progress.message}`],
    ['Reason', getFailureReason(job)],
    ['Result', result ? JSON.stringify(result) : undefined],
  ]);
  if (assignments.length === 0) return facts;
  const rows = assignments.map((assignment, n) => [
    n + 1,
    formatAge(assignment.created_at, now),
    formatAge(assignment.completed_at, now),
    assignment.ecs_task_arn,
  ]);
  return `${facts}\n\n${formatTable(['ATTEMPT', 'STARTED', 'ENDED', 'WORKER'], rows)}`;
}
