import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { errorCode } from './system-errors.js';

/** Names one process for all time: `start` differs when the system reuses the pid for a later process. */
export const processIdentity = z.object({ pid: z.number().int().positive(), start: z.string() });
export type ProcessIdentity = z.infer<typeof processIdentity>;

export const hasProc = process.platform === 'linux' && existsSync('/proc/self/stat');

/**
 * Runs a command and returns the text on stdout. Ignores the exit code, because ps and lsof return 1 when a single item of
 * a list does not exist.
 */
export function readOutput(command: string, args: string[]): string {
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
 * last bracket ends the name, because a name may contain spaces and brackets.
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

/** Returns when a process started, e.g. `1f0c2a9b:48213`; undefined for a missing process or a zombie. */
export function processStart(pid: number): string | undefined {
  if (hasProc) {
    const stat = readProcStat(pid);
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
    bootId ??= readProcFile('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? '';
    return `${bootId}:${stat.startTicks}`;
  }
  if (process.platform === 'win32') return exists(pid) ? 'unknown' : undefined;
  const line = readOutput('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).trim();
  const state = line.split(/\s+/, 1)[0] ?? '';
  return line === '' || state.startsWith('Z') ? undefined : line.slice(state.length).trim();
}

export function identify(pid: number): ProcessIdentity | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : { pid, start };
}

let self: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  self ??= identify(process.pid) ?? { pid: process.pid, start: 'unknown' };
  return self;
}

export function isAlive(identity: ProcessIdentity): boolean {
  return processStart(identity.pid) === identity.start;
}
