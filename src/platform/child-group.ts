import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { recordGroup, signalGroup } from './process-groups.js';
import { toWriteError } from './system-errors.js';

export interface ChildGroupOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'shell'> {
  program: string;
  args?: readonly string[];
  /** Content of stdin, written after the group has been recorded; undefined: stdin is empty. */
  input?: string | Buffer | undefined;
  /** Directory for a record of the running group; undefined: no record. */
  recordDirectory?: string | undefined;
  /** Receives stdout and stderr, and is not ended; undefined: the caller reads `stdout` and `stderr`. */
  output?: Writable | undefined;
  /** Returns true to drop output for which `output` has no room, once every process has been killed. */
  skipDrain?(): boolean;
}

/** End of a program: exit code or signal. */
export interface ProgramExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Maximum time and size of the rest of the output, once every process has been killed. */
const drainMs = 1_000;
const maxDrainBytes = 1_048_576;

/** A program in a new process group. Kills the rest when the program ends or the grace period after `stop` is over. */
export class ChildGroup {
  /** Settles when the program has ended. Rejects when the program cannot be started. */
  readonly exited: Promise<ProgramExit>;
  /** Settles when the whole group has ended and all output has been read. Rejects together with `exited`. */
  readonly ended: Promise<ProgramExit>;
  private readonly child: ChildProcess;
  private readonly closed: Promise<void>;
  private readonly forget: () => void = () => {};
  private gracePeriod: Promise<void> | undefined;
  private graceTimer: NodeJS.Timeout | undefined;
  private isOver = false;

  constructor(private readonly options: ChildGroupOptions) {
    const { program, args = [], cwd, env, shell, input, output } = options;
    const stdin = input === undefined ? 'ignore' : 'pipe';
    this.child = spawn(program, args, { cwd, env, shell, detached: true, stdio: [stdin, 'pipe', 'pipe'] });
    this.exited = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.closed = new Promise((resolve) => {
      this.child.once('close', () => resolve());
    });
    if (output) for (const stream of this.outputs()) stream.pipe(output, { end: false });
    this.ended = this.supervise();
    // A caller may await `exited` or `ended` alone.
    this.exited.catch(() => {});
    this.ended.catch(() => {});
    // A program may end without reading the input, and so close the pipe early.
    this.child.stdin?.on('error', () => {});
    try {
      if (this.pid !== undefined) this.forget = recordGroup(options.recordDirectory, this.pid);
    } catch (cause) {
      this.kill();
      throw toWriteError(`a record of process group ${this.pid}`, cause);
    }
    this.child.stdin?.end(input);
  }

  /** Process id of the program, and so of the group; undefined when the program cannot be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** null when the program cannot be started because no file descriptor is left. */
  get stdout(): Readable | null {
    return this.child.stdout;
  }

  get stderr(): Readable | null {
    return this.child.stderr;
  }

  /** Sends SIGTERM to the group, and SIGKILL after `graceMs` to what is left of the group. */
  stop(graceMs: number): void {
    if (this.gracePeriod || this.isOver) return;
    this.signal('SIGTERM');
    this.gracePeriod = new Promise((resolve) => {
      this.graceTimer = setTimeout(() => {
        this.signal('SIGKILL');
        resolve();
      }, graceMs);
    });
  }

  private signal(name: NodeJS.Signals): void {
    if (this.pid !== undefined && !this.isOver) signalGroup(this.pid, name);
  }

  /** Sends SIGKILL for the last time: the system may give the number of an ended group to another group. */
  private kill(): void {
    this.signal('SIGKILL');
    this.isOver = true;
  }

  private outputs(): Readable[] {
    return [this.stdout, this.stderr].filter((stream) => stream !== null && stream !== undefined);
  }

  private async supervise(): Promise<ProgramExit> {
    try {
      const exit = await this.exited;
      if (this.gracePeriod) await Promise.race([this.closed, this.gracePeriod]);
      this.kill();
      await this.drain();
      return exit;
    } finally {
      this.kill();
      clearTimeout(this.graceTimer);
      for (const stream of this.outputs()) stream.unpipe().destroy();
      this.forget();
    }
  }

  /** Reads the rest of the output, up to `drainMs` with room in `output`: another process may hold the streams open. */
  private async drain(): Promise<void> {
    const { output, skipDrain = () => false } = this.options;
    let isClosed = false;
    let bytes = 0;
    let isHeldUp = false;
    const onDrain = () => {
      isHeldUp = true;
    };
    void this.closed.then(() => {
      isClosed = true;
    });
    if (output)
      for (const stream of this.outputs())
        stream.on('data', ({ length }: Buffer) => {
          bytes += length;
        });
    output?.on('drain', onDrain);
    do {
      isHeldUp = false;
      await Promise.race([this.closed, delay(drainMs, undefined, { ref: false })]);
      isHeldUp ||= output?.writableNeedDrain ?? false;
    } while (!isClosed && isHeldUp && bytes < maxDrainBytes && !skipDrain());
    output?.off('drain', onDrain);
  }
}

/**
 * Returns options that start a program only after the group has been recorded: a shell waits for a line of input, and no
 * line comes when this process is killed first. stderr goes to stdout.
 */
export function withStartBarrier(program: string, args: readonly string[]) {
  const script = 'read -r _ || exit 126; exec "$@" 2>&1 </dev/null';
  return { program: '/bin/sh', args: ['-c', script, 'sh', program, ...args], input: '\n' };
}

/** Returns the exit code in the way of a shell, for example 137 for SIGKILL. */
export function toExitCode({ code, signal }: ProgramExit): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}
