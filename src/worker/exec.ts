import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { recordGroup, signalGroup } from '../platform/process-groups.js';
import type { HandlerResult, JobHandler } from './handler.js';
import { createLineSplitter, parsePayload, parseProgress } from './output.js';

/** How long a program may take to end by itself after SIGTERM. */
const defaultKillAfterMs = 10_000;
/** How long the rest of a program's output may take to arrive once it has ended. */
const drainMs = 1_000;

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
    const child = spawn(command, {
      shell: true,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...options.env, JOB_FILE: jobFile, OUTPUT_DIR: outputFolder, JOB_ID: String(job.id), JOB_TYPE: job.type },
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
    child.stdout.setEncoding('utf8').on('data', stdout.push);
    child.stderr.setEncoding('utf8').on('data', stderr.push);
    // A program that does not read its input is free not to.
    child.stdin.on('error', () => {});
    child.stdin.end(input);

    const kill = (name: NodeJS.Signals) => {
      if (child.pid !== undefined) signalGroup(child.pid, name);
    };
    const forgetGroup = child.pid === undefined ? () => {} : recordGroup(options.env.REEFGUIDE_TASK_FOLDER, child.pid);
    let killTimer: NodeJS.Timeout | undefined;
    let drainTimer: NodeJS.Timeout | undefined;
    /** Ends what is left of the group; whoever left the group and still holds the output open is not waited for. */
    const end = () => {
      kill('SIGKILL');
      drainTimer ??= setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, drainMs);
    };
    const stop = () => {
      kill('SIGTERM');
      killTimer ??= setTimeout(end, options.killAfterMs ?? defaultKillAfterMs);
    };
    child.once('exit', () => {
      // After a SIGTERM the others of the group may take their time, too.
      if (!signal.aborted) end();
    });
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      const ended = await new Promise<{ code: number | null; name: NodeJS.Signals | null }>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, name) => resolve({ code, name }));
      });
      stdout.end();
      stderr.end();
      return resultOf(ended, payload, lastError);
    } finally {
      signal.removeEventListener('abort', stop);
      clearTimeout(killTimer);
      clearTimeout(drainTimer);
      kill('SIGKILL');
      forgetGroup();
    }
  };
}

function resultOf(
  { code, name }: { code: number | null; name: NodeJS.Signals | null },
  payload: Record<string, unknown> | undefined,
  lastError: string,
): HandlerResult {
  if (code === 0) return payload === undefined ? { status: 'SUCCEEDED' } : { status: 'SUCCEEDED', payload };
  const how = code === null ? `was ended by ${name}` : `exited with code ${code}`;
  return {
    status: 'FAILED',
    payload: { error: `the program ${how}${lastError ? `: ${lastError.slice(0, 2000)}` : ''}` },
  };
}
