import type { Api } from '../../client/api.js';
import { ApiError } from '../../client/api.js';
import { hasEnded, type JobEvent } from '../../contract/jobs.js';

/** One line on where a job stands. */
export function describeEvent({ type, id, status, progress, queuePosition, attempts }: JobEvent): string {
  const name = `Job ${id} (${type})`;
  if (status === 'PENDING') {
    const ahead =
      queuePosition === null || queuePosition === 0
        ? 'next in line'
        : `${queuePosition >= 1000 ? '1,000 or more' : queuePosition} ahead of it`;
    return `${name} waits, ${ahead}${attempts > 0 ? ` (attempt ${attempts} was lost)` : ''}`;
  }
  if (status === 'IN_PROGRESS') {
    const part = progress
      ? ` ${Math.round(progress.fraction * 100)} %${progress.message ? `, ${progress.message}` : ''}`
      : '';
    return `${name} runs${part}${attempts > 1 ? ` (attempt ${attempts})` : ''}`;
  }
  return `${name} ${{ SUCCEEDED: 'succeeded', FAILED: 'failed', CANCELLED: 'was cancelled', TIMED_OUT: 'timed out' }[status]}`;
}

/**
 * Follows a job to its end and returns its last state. A broken stream (the API restarts) is taken up again; gives up
 * when the API stays away for a minute.
 */
export async function followJob(
  api: Pick<Api, 'events'>,
  jobId: number,
  onEvent: (event: JobEvent) => void,
  signal?: AbortSignal,
): Promise<JobEvent> {
  let last: JobEvent | undefined;
  for (let failures = 0; ; ) {
    try {
      for await (const event of api.events(jobId, signal)) {
        failures = 0;
        last = event;
        onEvent(event);
      }
      if (last && hasEnded(last.status)) return last;
    } catch (error) {
      if (signal?.aborted) throw error;
      if (error instanceof ApiError && !error.isTransient) throw error;
      failures += 1;
      if (failures > 30) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, 200 * (failures + 1))));
  }
}

/** Shows each new state on one line that is rewritten on a terminal, and as lines elsewhere. */
export function createProgressLine(stream: NodeJS.WriteStream) {
  const rewrites = stream.isTTY && !process.env.NO_COLOR;
  let shown = '';
  return {
    show(line: string) {
      if (line === shown) return;
      shown = line;
      if (rewrites) stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
      else stream.write(`${line}\n`);
    },
    end() {
      if (rewrites && shown !== '') stream.write('\n');
    },
  };
}
