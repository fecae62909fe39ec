import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

/** A process and when it started: a later process that was given the same pid has another `start`. */
export const processIdentity = z.object({ pid: z.number().int().positive(), start: z.string() });
export type ProcessIdentity = z.infer<typeof processIdentity>;

export const hasProc = process.platform === 'linux' && existsSync('/proc/self/stat');

/** What a program prints. Its exit code does not count: ps and lsof answer 1 when a part of what was asked is not there. */
export function run(command: string, args: string[]): string {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env }).stdout ?? '';
}

export function readProc(path: string): string | undefined {
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
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Name, state and start (clock ticks since boot) from /proc. The name may itself hold spaces and brackets. */
export function procStat(pid: number): { name: string; state: string; startTicks: string } | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  return { name: text.slice(text.indexOf('(') + 1, nameEnd), state: fields[0] ?? '', startTicks: fields[19] ?? '' };
}

/** The ticks start again from 0 at each boot, so the boot is a part of a process's start. */
let bootId: string | undefined;

/** undefined when no such process runs; one that has ended and only waits to be reaped (a zombie) does not run. */
export function processStart(pid: number): string | undefined {
  if (hasProc) {
    const stat = procStat(pid);
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
    bootId ??= readProc('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? '';
    return `${bootId}:${stat.startTicks}`;
  }
  if (process.platform === 'win32') return exists(pid) ? 'unknown' : undefined;
  const line = run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).trim();
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
