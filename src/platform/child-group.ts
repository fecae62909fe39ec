import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Transform, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { writeError } from './home.js';
import { recordGroup, signalGroup } from './process-groups.js';

export interface GroupOptions {
  program: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** The group is noted there while it runs. */
  folder: string;
  /** Gets what the program prints; is not ended. */
  output: Transform;
  /** Told how to signal the group, and undefined as soon as there is nothing left to signal. */
  onSignal(signal: ((name: NodeJS.Signals) => void) | undefined): void;
  /** Told when the program has ended; the rest of its output may still be on its way. */
  onExit?: (() => void) | undefined;
  /** How long the others of the group may take to end after the program; asked then. */
  graceMs(): number;
  /** Whether output that nobody takes is not to be waited for. */
  isHasty(): boolean;
}

/**
 * The program is not begun before its group has been noted: it waits for a line, which does not come when this process is
 * killed. Output and errors are one stream.
 */
const gate = 'read -r _ || exit 126; exec "$@" 2>&1 </dev/null';
/** How long what is left of the output may take to arrive once every process has been killed, and how much that may be. */
const drainMs = 1_000;
const mostLeftBytes = 1_048_576;

/**
 * Runs one program in a process group of its own until nothing of the group is left, and gives its exit code. Throws when the
 * program cannot be started.
 */
export async function runGroup(options: GroupOptions): Promise<number> {
  const { program, args, env, cwd, output } = options;
  const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore'];
  const child = spawn('/bin/sh', ['-c', gate, 'sh', program, ...args], { cwd, env, detached: true, stdio });
  const { pid } = child;
  const signal = (name: NodeJS.Signals) => {
    if (pid !== undefined) signalGroup(pid, name);
  };
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.once('exit', (code, name) => resolve(code ?? 128 + (name ? constants.signals[name] : 0)));
  });
  // Awaited below, unless something else fails before.
  exit.catch(() => {});
  // Where no descriptor is left there are no streams, and `exit` says why.
  const stdin: Writable | undefined = child.stdin;
  const stdout: Readable | undefined = child.stdout;
  // Who was stopped before it began reads nothing.
  stdin?.on('error', () => {});
  let forget = () => {};
  let isOver = false;
  /** Once: later the number of the group may be that of another. */
  const killRest = () => {
    if (!isOver) signal('SIGKILL');
    isOver = true;
    options.onSignal(undefined);
  };
  options.onSignal(signal);
  try {
    stdout?.pipe(output, { end: false });
    const arrived = stdout && finished(stdout).catch(() => {});
    if (pid !== undefined) forget = note(options.folder, pid);
    stdin?.end('\n');
    const code = await exit;
    options.onExit?.();
    const graceMs = options.graceMs();
    if (graceMs > 0) await Promise.race([arrived, after(graceMs)]);
    killRest();
    if (stdout && arrived) await drained(stdout, arrived, output, options.isHasty);
    return code;
  } finally {
    killRest();
    stdout?.unpipe(output).destroy();
    forget();
  }
}

/**
 * Waits for what is left in a stream whose writers have been killed, until all has `arrived` in `output`. One that got away
 * may hold the stream open: it is not waited for. A reader of `output` who cannot take more is, unless `isHasty`.
 */
async function drained(stdout: Readable, arrived: Promise<void>, output: Transform, isHasty: () => boolean) {
  let all = false;
  let left = 0;
  let isHeldUp = false;
  const onDrain = () => {
    isHeldUp = true;
  };
  void arrived.then(() => {
    all = true;
  });
  stdout.on('data', ({ length }: Buffer) => {
    left += length;
  });
  output.on('drain', onDrain);
  do {
    isHeldUp = false;
    await Promise.race([arrived, after(drainMs)]);
    isHeldUp ||= output.writableNeedDrain;
  } while (!all && isHeldUp && left < mostLeftBytes && !isHasty());
  output.off('drain', onDrain);
}

function note(folder: string, leader: number): () => void {
  try {
    return recordGroup(folder, leader);
  } catch (cause) {
    throw writeError('its folder', cause);
  }
}

const after = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref();
  });
