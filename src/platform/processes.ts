import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { errorCode } from './system-errors.js';

/** Identifies a process even after the system reuses the pid, because `start` then differs. */
export const processIdentity = z.object({ pid: z.number().int().positive(), start: z.string() });
export type ProcessIdentity = z.infer<typeof processIdentity>;

export const hasProc = process.platform === 'linux' && existsSync('/proc/self/stat');

/** Runs a command and returns stdout. Ignores the exit code, because ps and lsof return 1 when one listed item is missing. */
export function readCommandOutput(command: string, args: string[]): string {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env }).stdout ?? '';
}

/** Returns the text of a file below /proc; undefined when the file cannot be read. */
export function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * Returns name, state and start (clock ticks since boot) of a process, from a line such as `42 (tmux: server) S 1 …`. The
 * last parenthesis ends the name, because a name may contain spaces and parentheses.
 */
export function readProcStat(pid: number): { name: string; state: string; startTicks: string } | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  return { name: text.slice(text.indexOf('(') + 1, nameEnd), state: fields[0] ?? '', startTicks: fields[19] ?? '' };
}

/** Distinguishes boots, because clock ticks restart from 0 at each boot. */
let bootId: string | undefined;

/**
 * Returns the start of a process: on Linux boot and clock ticks (`1f0c2a9b:48213`), elsewhere the date of `ps`, on Windows `unknown`.
 * Returns undefined for a missing process or a zombie.
 */
export function processStart(pid: number): string | undefined {
  if (hasProc) {
    const stat = readProcStat(pid);
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
    bootId ??= readProcFile('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? '';
    return `${bootId}:${stat.startTicks}`;
  }
  if (process.platform === 'win32') return exists(pid) ? 'unknown' : undefined;
  const line = readCommandOutput('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).trim();
  const state = line.split(/\s+/, 1)[0] ?? '';
  return line === '' || state.startsWith('Z') ? undefined : line.slice(state.length).trim();
}

export function identify(pid: number): ProcessIdentity | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : { pid, start };
}

let self: ProcessIdentity | undefined;

/** Returns the identity of this process; `start` is `unknown` where the system does not say. */
export function ownIdentity(): ProcessIdentity {
  self ??= identify(process.pid) ?? { pid: process.pid, start: 'unknown' };
  return self;
}

export const isAlive = ({ pid, start }: ProcessIdentity): boolean => processStart(pid) === start;
