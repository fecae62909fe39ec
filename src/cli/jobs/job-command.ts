import { Errors } from '@oclif/core';
import type { Api } from '../../client/api.js';
import { isRecord } from '../../client/api-error.js';
import type { JobDetail, JobEvent } from '../../contract/jobs.js';
import { ClientCommand } from '../command/client-command.js';
import { abortOnSignal } from '../command/signals.js';
import { colorStatus } from '../output/colors.js';
import { runStep } from '../output/steps.js';
import { describeEvent, followJob } from './follow.js';

export abstract class JobCommand extends ClientCommand {
  /** Shows a job's progress on stderr until the end, then the outcome. Sets the exit code 1 unless the job succeeded. */
  protected async watch(api: Api, jobId: number): Promise<{ job: JobDetail }> {
    await showProgress(api, jobId);
    const { job } = await api.job(jobId);
    const reason = getFailureReason(job);
    if (reason) process.stderr.write(`${reason}\n`);
    else if (job.status === 'SUCCEEDED' && Object.keys((await api.downloads(jobId)).files).length > 0)
      process.stderr.write(`Download the files with: reefguide jobs download ${jobId}\n`);
    this.log(`Job ${jobId} ${colorStatus(job.status)}`);
    if (job.status !== 'SUCCEEDED') process.exitCode = 1;
    return { job };
  }
}

/** Reports each new state of a job. Ctrl+C leaves the job running and exits with 130. */
async function showProgress(api: Api, jobId: number): Promise<void> {
  const { signal, stopListening } = abortOnSignal({ names: ['SIGINT'] });
  try {
    await runStep(`Follow job ${jobId}`, (report) => {
      let shown = '';
      const onEvent = (event: JobEvent) => {
        const line = describeEvent(event);
        if (line !== shown) report(line);
        shown = line;
      };
      return followJob(api, jobId, onEvent, signal);
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write(`Job ${jobId} keeps running. Follow it again with: reefguide jobs watch ${jobId}\n`);
    throw new Errors.ExitError(130);
  } finally {
    stopListening();
  }
}

/** Returns why a job failed: `error` of the last result's payload, or `reason` of the metadata. */
export function getFailureReason(job: JobDetail): string | undefined {
  const result = job.status === 'SUCCEEDED' ? undefined : job.assignments.at(-1)?.result;
  return getText(result?.result_payload, 'error') ?? getText(result?.metadata, 'reason');
}

function getText(record: unknown, field: string): string | undefined {
  const value = isRecord(record) ? record[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}
