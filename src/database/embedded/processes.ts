import { readdirSync, readlinkSync } from 'node:fs';
import { hasProc, processStart, readOutput, readProcFile, readProcStat } from '../../platform/processes.js';
import { errorCode } from './errors.js';
import { poll } from './files.js';

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/**
 * Whether `pid` is a Postgres of this data folder, and not an unrelated process that was given the pid of one.
 * Postgres works inside its data folder; the working folder also stays right when the home is renamed under it.
 */
export function isPostgresOf(pid: number, data: string): boolean {
  if (hasProc) {
    if (processStart(pid) === undefined || readProcStat(pid)?.name !== 'postgres') return false;
    const folder = workingFolder(pid);
    return folder === undefined ? (readProcFile(`/proc/${pid}/cmdline`) ?? '').includes(data) : folder === data;
  }
  if (process.platform === 'win32') {
    return readOutput('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']).includes('postgres');
  }
  const command = readOutput('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  return command.includes('postgres') && command.includes(data);
}

/**
 * Every postgres and initdb process that works in `folder` or below it, also when the folder has been deleted since.
 * Windows: none, it does not tell where a process works.
 */
export function postgresProcessesIn(folder: string): number[] {
  const inside = (path: string) => {
    const folderNow = path.replace(/ \(deleted\)$/, '');
    return folderNow === folder || folderNow.startsWith(`${folder}/`);
  };
  if (hasProc) {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        const name = readProcStat(pid)?.name;
        return (name === 'postgres' || name === 'initdb') && inside(workingFolder(pid) ?? '');
      })
      .filter((pid) => processStart(pid) !== undefined);
  }
  if (process.platform === 'win32') return [];
  // lsof -F prints, for each process, a line p<pid> and then a line n<its working folder>.
  const pids: number[] = [];
  let pid = 0;
  for (const line of readOutput('lsof', ['-a', '-c', 'postgres', '-c', 'initdb', '-d', 'cwd', '-Fpn']).split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    else if (line.startsWith('n') && inside(line.slice(1))) pids.push(pid);
  }
  return pids;
}

export function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** Ends at once what an earlier server left behind, and waits for it. To Postgres this is a crash: nothing committed is lost. */
export async function killPostgresIn(folder: string): Promise<number> {
  const pids = postgresProcessesIn(folder);
  for (const pid of pids) sendSignal(pid, 'SIGKILL');
  await poll(10_000, () => pids.every((pid) => processStart(pid) === undefined) || undefined);
  return pids.length;
}
