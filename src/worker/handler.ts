import type { JobBody, Progress } from '../contract/jobs.js';

export interface HandlerContext {
  /** Empty directory; its files are uploaded after a success. */
  outputDirectory: string;
  /** File that holds the job and its assignment as JSON. */
  jobFile: string;
  progress(progress: Progress): void;
  /** Aborts when the job was cancelled or requeued, or the worker is stopped. */
  signal: AbortSignal;
}

export type HandlerResult =
  | { status: 'SUCCEEDED'; payload?: unknown }
  | { status: 'FAILED'; payload: { error: string } };

/** Runs a job. A thrown error fails the job with its message. */
export type JobHandler = (job: JobBody, context: HandlerContext) => Promise<HandlerResult>;

/** Handlers that need no program, for example TEST, which proves the path from submission to result. */
export const builtInHandlers: Record<string, JobHandler> = {
  TEST: async (_job, { progress }) => {
    progress({ fraction: 1, message: 'done' });
    return { status: 'SUCCEEDED', payload: {} };
  },
};
