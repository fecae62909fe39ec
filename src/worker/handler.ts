import type { JobBody, Progress } from '../contract/jobs.js';

export interface HandlerContext {
  /** An empty folder whose files are uploaded afterwards. */
  outputFolder: string;
  /** The job as a file. */
  jobFile: string;
  progress(progress: Progress): void;
  /** Aborted when the job was cancelled or the worker must leave: stop working. */
  signal: AbortSignal;
}

export type HandlerResult =
  | { status: 'SUCCEEDED'; payload?: unknown }
  | { status: 'FAILED'; payload: { error: string } };

/** Does a job's work. A throw fails the job with the error's message. */
export type JobHandler = (job: JobBody, context: HandlerContext) => Promise<HandlerResult>;

/** Handlers that need no program. TEST proves the way from submission to result. */
export const builtInHandlers: Record<string, JobHandler> = {
  TEST: async (_job, { progress }) => {
    progress({ fraction: 1, message: 'done' });
    return { status: 'SUCCEEDED', payload: {} };
  },
};
