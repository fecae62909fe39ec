import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Args, Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/base-command.js';
import { SetupError } from '../../contract/errors.js';

export default class JobsSubmit extends ClientCommand {
  static override description = `Submit a job.

An equal job that waits, runs or succeeded is joined instead of made anew. With --watch the command follows the job and
exits with 0 when it succeeded, 1 when it did not.`;
  static override examples = [
    `<%= config.bin %> jobs submit TEST --input '{"id": 1}'`,
    '<%= config.bin %> jobs submit SUITABILITY_ASSESSMENT --input @payload.json --watch',
    `echo '{"id": 2}' | <%= config.bin %> jobs submit TEST --input - --json`,
  ];
  static override args = { type: Args.string({ description: 'Job type; see `jobs types`', required: true }) };
  static override flags = {
    input: Flags.string({ char: 'i', description: 'Payload: JSON, @file, or - for standard input', default: '{}' }),
    priority: Flags.integer({ description: 'Higher is sooner, within the type' }),
    watch: Flags.boolean({ char: 'w', description: 'Follow the job to its end' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsSubmit);
    const input = await readInput(flags.input);
    const api = await this.connect(flags);
    const created = await api.submit(args.type, input, flags.priority);
    if (!flags.watch) {
      this.log(`Job ${created.jobId}${created.cached ? ' (joined: an equal job was there)' : ''}`);
      this.tell(`Follow it with: reefguide jobs watch ${created.jobId}`);
      return created;
    }
    const { watchToEnd } = await import('../../cli/jobs/watch.js');
    const end = await watchToEnd(api, created.jobId);
    if (!this.jsonEnabled()) this.log(`Job ${created.jobId} ${end.job.status}`);
    if (end.job.status !== 'SUCCEEDED') process.exitCode = 1;
    return { ...created, ...end };
  }
}

async function readInput(given: string): Promise<unknown> {
  const where = given === '-' ? 'standard input' : given.startsWith('@') ? given.slice(1) : '--input';
  let content = given;
  if (given === '-') content = await text(process.stdin);
  else if (given.startsWith('@')) {
    content = await readFile(given.slice(1), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new SetupError(
        `Cannot read ${where}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
      );
    });
  }
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new SetupError(`The input in ${where} is not JSON: ${error instanceof Error ? error.message : ''}`, {
      hint: `Write for example --input '{"id": 1}', or --input @payload.json.`,
    });
  }
}
