import { Args, Flags } from '@oclif/core';
import { JobCommand } from '../../cli/jobs/job-command.js';
import { readInput } from '../../cli/jobs/read-input.js';

export default class JobsSubmit extends JobCommand {
  static override description = `Submit a job.

Joins an equal job that waits, runs or succeeded, instead of creating a new job. With --watch, follows the job and exits with
0 when the job succeeded, or else with 1.`;
  static override examples = [
    `reefguide jobs submit TEST --input '{"id": 1}'`,
    'reefguide jobs submit SUITABILITY_ASSESSMENT --input @payload.json --watch',
    `echo '{"id": 2}' | reefguide jobs submit TEST --input - --json`,
  ];
  static override args = { type: Args.string({ description: 'Job type; see `jobs types`', required: true }) };
  static override flags = {
    input: Flags.string({ char: 'i', description: 'Input: JSON, @file, or - for standard input', default: '{}' }),
    priority: Flags.integer({ description: 'Priority within the type; higher runs sooner' }),
    watch: Flags.boolean({ char: 'w', description: 'Follow the job to the end' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsSubmit);
    const input = await readInput(flags.input);
    const api = await this.connect(flags);
    const created = await api.submit(args.type, input, flags.priority);
    if (!flags.watch) {
      this.log(`Job ${created.jobId}${created.cached ? ' (joined an equal job)' : ''}`);
      this.report(`Follow the job with: reefguide jobs watch ${created.jobId}`);
      return created;
    }
    return { ...created, ...(await this.watch(api, created.jobId)) };
  }
}
