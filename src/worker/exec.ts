import { readFile } from 'node:fs/promises';
import { ChildGroup, type ProgramExit } from '../platform/child-group.js';
import type { HandlerResult, JobHandler } from './handler.js';
import { createLineSplitter, parsePayload, parseProgress } from './output.js';

/** How long a program may take to end by itself after SIGTERM. */
const defaultKillAfterMs = 10_000;

export interface ExecOptions {
  env: NodeJS.ProcessEnv;
  log(line: string): void;
  killAfterMs?: number;
}

/**
 * A handler that runs `command` in a shell: the job as JSON on stdin and in JOB_FILE, files into OUTPUT_DIR, the result
 * payload as the last JSON line on stdout, `PROGRESS: 0.4 text` lines on stderr. The program gets a process group of its
 * own; on abort the group gets SIGTERM, and SIGKILL after 10 s. What it left running in its group ends with it.
 */
export function execHandler(command: string, options: ExecOptions): JobHandler {
  return async (job, { outputFolder, jobFile, progress, signal }) => {
    // Before the program starts, so that nothing of its end is missed.
    const input = await readFile(jobFile);
    const group = new ChildGroup({
      program: command,
      shell: true,
      input,
      env: { ...options.env, JOB_FILE: jobFile, OUTPUT_DIR: outputFolder, JOB_ID: String(job.id), JOB_TYPE: job.type },
      recordDirectory: options.env.REEFGUIDE_TASK_FOLDER,
    });
    let payload: Record<string, unknown> | undefined;
    let lastError = '';
    const stdout = createLineSplitter((line) => {
      payload = parsePayload(line) ?? payload;
      options.log(line);
    });
    const stderr = createLineSplitter((line) => {
      const told = parseProgress(line);
      if (told) progress(told);
      else if (line.trim() !== '') {
        lastError = line.trim();
        options.log(line);
      }
    });
    group.stdout?.setEncoding('utf8').on('data', stdout.push);
    group.stderr?.setEncoding('utf8').on('data', stderr.push);
    const stop = () => group.stop(options.killAfterMs ?? defaultKillAfterMs);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      const exit = await group.ended;
      stdout.end();
      stderr.end();
      return resultOf(exit, payload, lastError);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

function resultOf(
  { code, signal }: ProgramExit,
  payload: Record<string, unknown> | undefined,
  lastError: string,
): HandlerResult {
  if (code === 0) return payload === undefined ? { status: 'SUCCEEDED' } : { status: 'SUCCEEDED', payload };
  const how = code === null ? `was ended by ${signal}` : `exited with code ${code}`;
  return {
    status: 'FAILED',
    payload: { error: `the program ${how}${lastError ? `: ${lastError.slice(0, 2000)}` : ''}` },
  };
}
