import type { Api } from '../../client/api.js';
import type { JobDetail } from '../../contract/jobs.js';
import { createProgressLine, describeEvent, followJob } from './follow.js';

/** Shows a job's progress on stderr until it ends, why it failed if it did, and returns it as it ended. */
export async function watchToEnd(api: Api, jobId: number): Promise<{ job: JobDetail }> {
  const line = createProgressLine(process.stderr);
  const leave = () => {
    line.end();
    process.stderr.write(`Job ${jobId} goes on. Follow it again with: reefguide jobs watch ${jobId}\n`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  try {
    await followJob(api, jobId, (event) => line.show(describeEvent(event)));
  } finally {
    process.removeListener('SIGINT', leave);
    line.end();
  }
  const { job } = await api.job(jobId);
  const reason = failureReason(job);
  if (reason) process.stderr.write(`${reason}\n`);
  else if (job.status === 'SUCCEEDED' && Object.keys((await api.downloads(jobId)).files).length > 0) {
    process.stderr.write(`Download its files with: reefguide jobs download ${jobId}\n`);
  }
  return { job };
}

/** What the last attempt left as the reason of its failure. */
export function failureReason(job: JobDetail): string | undefined {
  if (job.status === 'SUCCEEDED') return undefined;
  const result = job.assignments.at(-1)?.result;
  for (const [part, field] of [
    [result?.result_payload, 'error'],
    [result?.metadata, 'reason'],
  ] as const) {
    if (typeof part === 'object' && part !== null) {
      const value: unknown = Reflect.get(part, field);
      if (typeof value === 'string') return value;
    }
  }
  return undefined;
}
