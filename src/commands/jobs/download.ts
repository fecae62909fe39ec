import { Flags } from '@oclif/core';
import { jobId } from '../../cli/command/arguments.js';
import { ClientCommand } from '../../cli/command/client-command.js';
import { downloadFiles } from '../../cli/jobs/download.js';
import { formatBytes } from '../../cli/output/format.js';

export default class JobsDownload extends ClientCommand {
  static override description = 'Download the files of a succeeded job.';
  static override examples = ['reefguide jobs download 17', 'reefguide jobs download 17 --output results'];
  static override args = { id: jobId({ required: true }) };
  static override flags = {
    output: Flags.directory({ char: 'o', description: 'Directory to write to (default: job-<id>)' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobsDownload);
    const api = await this.connect(flags);
    const { files } = await api.downloads(args.id);
    if (Object.keys(files).length === 0) this.report('The job has no files.');
    const downloaded = await downloadFiles(files, flags.output ?? `job-${args.id}`, (file) => {
      this.log(`${file.path}  ${formatBytes(file.bytes)}`);
    });
    return { files: downloaded };
  }
}
