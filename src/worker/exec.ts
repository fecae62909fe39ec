import { readFile } from 'node:fs/promises';
import { ChildGroup, type ProgramExit } from '../platform/child-group.js';
import type { HandlerResult, JobHandler } from './handler.js';
import { LineSplitter, parsePayload, parseProgress } from './output.js';

/** Time that a program has to end after SIGTERM. */
const defaultKillAfterMs = 10_000;

interface ExecOptions {
  env: NodeJS.ProcessEnv;
  log(line: string): void;
  killAfterMs?: number;
}

/**
 * Creates a handler that runs `command` in a shell and a process group of its own: the job on stdin and in JOB_FILE, files into
 * OUTPUT_DIR, the payload as the last JSON line on stdout, progress on stderr (`PROGRESS: 0.4 laying sites`). On abort the group
 * gets SIGTERM, and SIGKILL after 10 s. Processes left running in the group end with the program.
 */
export function createExecHandler(command: string, options: ExecOptions): JobHandler {
  return async (job, { outputDirectory, jobFile, progress, signal }) => {
    // Read before the program starts, because its end must not be missed.
    const input = await readFile(jobFile);
    const variables = { JOB_FILE: jobFile, OUTPUT_DIR: outputDirectory, JOB_ID: String(job.id), JOB_TYPE: job.type };
    const group = new ChildGroup({
      program: command,
      shell: true,
      input,
      env: { ...options.env, ...variables },
      recordDirectory: options.env.REEFGUIDE_TASK_FOLDER,
    });
    let payload: Record<string, unknown> | undefined;
    let lastError = '';
    const stdout = new LineSplitter((line) => {
      payload = parsePayload(line) ?? payload;
      options.log(line);
    });
    const stderr = new LineSplitter((line) => {
      const reported = parseProgress(line);
      if (reported) progress(reported);
      else if (line.trim() !== '') {
        lastError = line.trim();
        options.log(line);
      }
    });
    group.stdout?.setEncoding('utf8').on('data', (chunk: string) => stdout.push(chunk));
    group.stderr?.setEncoding('utf8').on('data', (chunk: string) => stderr.push(chunk));
    const stop = () => group.stop(options.killAfterMs ?? defaultKillAfterMs);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      const exit = await group.ended;
      stdout.end();
      stderr.end();
      return toResult(exit, payload, lastError);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

/** Succeeds on exit code 0; otherwise fails with the last line of stderr. */
function toResult(
  { code, signal }: ProgramExit,
  payload: Record<string, unknown> | undefined,
  lastError: string,
): HandlerResult {
  if (code === 0) return payload === undefined ? { status: 'SUCCEEDED' } : { status: 'SUCCEEDED', payload };
  const how = code === null ? `was ended by ${signal}` : `exited with code ${code}`;
  const error = `the program ${how}${lastError ? `: ${lastError.slice(0, 2000)}` : ''}`;
  return { status: 'FAILED', payload: { error } };
}
