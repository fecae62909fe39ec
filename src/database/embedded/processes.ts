import { readdirSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hasProc, processStart, readCommandOutput, readProcFile, readProcStat } from '../../platform/processes.js';
import { errorCode } from '../../platform/system-errors.js';
import { poll } from './poll.js';

function readWorkingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/**
 * Returns whether `pid` is a Postgres of the data directory, rather than an unrelated process with a reused pid.
 * Compares the working directory, because it follows a rename of the home directory and the command line does not.
 */
export function isPostgresOf(pid: number, data: string): boolean {
  if (hasProc) {
    if (processStart(pid) === undefined || readProcStat(pid)?.name !== 'postgres') return false;
    const directory = readWorkingDirectory(pid);
    return directory === undefined ? (readProcFile(`/proc/${pid}/cmdline`) ?? '').includes(data) : directory === data;
  }
  if (process.platform === 'win32') {
    return readCommandOutput('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']).includes('postgres');
  }
  const command = readCommandOutput('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  return command.includes('postgres') && command.includes(data);
}

/**
 * Returns every postgres and initdb process with a working directory in or below `directory`, also after its deletion.
 * Returns none on Windows, because Windows does not show the working directory of a process.
 */
export function postgresProcessesIn(directory: string): number[] {
  if (process.platform === 'win32') return [];
  return hasProc ? findInProc(directory) : findWithLsof(directory);
}

function findInProc(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const name = readProcStat(pid)?.name;
      return (name === 'postgres' || name === 'initdb') && isInside(readWorkingDirectory(pid) ?? '', directory);
    })
    .filter((pid) => processStart(pid) !== undefined);
}

/** Reads the output of `lsof -F`: for each process a line such as `p4711`, then `n<working directory>`. */
function findWithLsof(directory: string): number[] {
  const pids: number[] = [];
  let pid = 0;
  const output = readCommandOutput('lsof', ['-a', '-c', 'postgres', '-c', 'initdb', '-d', 'cwd', '-Fpn']);
  for (const line of output.split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    else if (line.startsWith('n') && isInside(line.slice(1), directory)) pids.push(pid);
  }
  return pids;
}

/** Returns true for a working directory in or below `directory`, also after its deletion: `/home/me/data (deleted)` on Linux. */
function isInside(workingDirectory: string, directory: string): boolean {
  const path = workingDirectory.replace(/ \(deleted\)$/, '');
  return path === directory || path.startsWith(`${directory}/`);
}

/** Sends a signal; does nothing when the process has ended. */
export function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** Kills the Postgres processes in `directory`, and waits up to 10 s. As after a crash, committed data are safe. */
export async function killPostgresIn(directory: string): Promise<void> {
  const pids = postgresProcessesIn(directory);
  for (const pid of pids) sendSignal(pid, 'SIGKILL');
  await poll(10_000, () => pids.every((pid) => processStart(pid) === undefined) || undefined);
}

/** Removes a directory and kills the Postgres processes inside. Retries, because an ending process may still write. */
export async function discardDirectory(directory: string): Promise<void> {
  await killPostgresIn(directory);
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}
