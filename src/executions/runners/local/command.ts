import path from 'node:path';
import type { LimitFunction } from 'p-limit';
import { toMessage } from '../../../contract/errors.js';
import { ChildGroup, type ChildGroupOptions, toExitCode, withStartBarrier } from '../../../platform/child-group.js';
import { errorCode } from '../../../platform/system-errors.js';
import { toNoteLine } from '../../logs/note.js';
import { checkoutScript, toGitEnvironment } from '../checkout-script.js';
import { type AttachedCommand, type CommandRequest, exitCodes, type GitCheckout } from '../runner.js';
import { type ContainerEngine, type ContainerEngines, toContainerCall } from './container-engine.js';
import { CommandOutput } from './output.js';
import { CommandDirectory } from './workspace.js';

export interface LocalCommandOptions {
  /** Parent of the directories of commands. */
  root: string;
  /** Variables of checkouts and of commands outside of containers. */
  baseEnv: NodeJS.ProcessEnv;
  /** Variables of the engine's client. */
  engineEnv: NodeJS.ProcessEnv;
  containerEngines: ContainerEngines;
  /** Returns why commands run outside of containers; throws when commands must not. */
  explainNoEngine(): string;
  /** Milliseconds between SIGTERM and SIGKILL. */
  killAfterMs: number;
  /** Bounds the running commands; further commands wait. */
  limit: LimitFunction;
  /** Returns true when unread output must not delay the end any more. */
  isClosing(): boolean;
  onRelease(): void;
}

const startErrors: Record<string, string> = {
  E2BIG: 'the command and its variables are longer than this machine allows',
  EAGAIN: 'too many processes run on this machine',
  EMFILE: 'this server has too many files open',
  ENFILE: 'too many files are open on this machine',
};

export const toContainerName = (executionId: string) => `reefguide-${executionId}`;

/** A command on this machine, from the queue to the release: checkout, then process group or container. */
export class LocalCommand implements AttachedCommand {
  readonly output = new CommandOutput();
  readonly running: Promise<void>;
  readonly ended: Promise<{ exitCode: number }>;
  private readonly directory: CommandDirectory;
  private reportRunning = () => {};
  private leaveQueue = () => {};
  /** Process group of the running program. */
  private group: ChildGroup | undefined;
  /** Exit code once stopped; no program is started afterwards. */
  private stopCode: number | undefined;

  constructor(
    private readonly request: CommandRequest,
    private readonly options: LocalCommandOptions,
  ) {
    this.directory = new CommandDirectory(options.root, request.executionId);
    this.running = new Promise((resolve) => {
      this.reportRunning = resolve;
    });
    this.ended = this.runToEnd();
  }

  /** Ends the command with `exitCode`, whether waiting or running. `reason` becomes a note in the output. */
  stop(exitCode: number, reason?: string): void {
    if (this.stopCode !== undefined) return;
    this.stopCode = exitCode;
    if (reason !== undefined) this.output.addNote(`stopped: ${reason}`);
    this.leaveQueue();
    this.group?.stop(this.options.killAfterMs);
  }

  async release(): Promise<void> {
    this.options.onRelease();
    await this.directory.remove();
  }

  private async runToEnd(): Promise<{ exitCode: number }> {
    const exitCode = await this.runInTurn().catch((error: unknown) => {
      this.output.addNote(`could not start: ${startErrors[errorCode(error) ?? ''] ?? toMessage(error)}`);
      return exitCodes.notStarted;
    });
    await this.directory.removeContent();
    this.output.end();
    return { exitCode: this.stopCode ?? exitCode };
  }

  /** Runs when fewer than the most commands run. A stop while waiting resolves at once. */
  private runInTurn(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.leaveQueue = () => resolve(exitCodes.stopped);
      void this.options.limit(async () => {
        if (this.stopCode !== undefined) return;
        this.leaveQueue = () => {};
        await this.run().then(resolve, reject);
      });
    });
  }

  private async run(): Promise<number> {
    const { git, image } = this.request;
    await this.directory.create();
    const engine = await this.options.containerEngines.find();
    if (!engine) {
      const note = `runs on this machine, not in ${image.image}: ${this.options.explainNoEngine()}`;
      this.output.write(`${toNoteLine(note)}\n`);
    }
    if (git) {
      const exitCode = await this.withTimeout('checkout', (onExit) => this.checkOut(git, onExit));
      if (exitCode !== 0) return exitCode;
    }
    if (this.stopCode !== undefined) return this.stopCode;
    this.reportRunning();
    const directory = git ? path.join('repo', git.path ?? '') : '';
    return this.withTimeout('command', (onExit) =>
      engine ? this.runInContainer(engine, directory, onExit) : this.runOnMachine(directory, onExit),
    );
  }

  private checkOut(git: GitCheckout, onExit: () => void): Promise<number> {
    const { path: home, workspace } = this.directory;
    const env = { ...this.options.baseEnv, HOME: home, ...toGitEnvironment(git, workspace) };
    return this.runProgram('/bin/sh', ['-c', checkoutScript], { env, cwd: workspace, onExit });
  }

  private runOnMachine(directory: string, onExit: () => void): Promise<number> {
    const { workspace } = this.directory;
    const env = { ...this.options.baseEnv, HOME: workspace, ...this.commandEnv() };
    const cwd = path.join(workspace, directory);
    return this.runProgram('/bin/sh', ['-c', this.request.command], { env, cwd, onExit });
  }

  private async runInContainer(engine: ContainerEngine, directory: string, onExit: () => void): Promise<number> {
    const { executionId, image, command } = this.request;
    const name = toContainerName(executionId);
    const { workspace } = this.directory;
    const call = toContainerCall({ name, image: image.image, command, env: this.commandEnv(), workspace, directory });
    const env = { ...this.options.engineEnv, ...call.env };
    try {
      return await this.runProgram(engine, call.args, { env, cwd: this.directory.path, onExit });
    } finally {
      await this.options.containerEngines.remove(name, engine);
    }
  }

  private commandEnv(): Record<string, string> {
    return { REEFGUIDE_EXECUTION_ID: this.request.executionId, ...this.request.env };
  }

  /** Runs a program to the end of its process group and output. Calls `onExit` at the end of the program itself. */
  private async runProgram(
    program: string,
    args: readonly string[],
    { onExit, ...options }: Pick<ChildGroupOptions, 'env' | 'cwd'> & { onExit(): void },
  ): Promise<number> {
    if (this.stopCode !== undefined) return this.stopCode;
    this.group = new ChildGroup({
      ...options,
      ...withStartBarrier(program, args),
      recordDirectory: this.directory.path,
      output: this.output,
      skipDrain: this.options.isClosing,
    });
    void this.group.exited.then(onExit, () => {});
    return toExitCode(await this.group.ended);
  }

  /** Stops the command when `run` takes longer than the timeout. Reading the rest of the output does not count. */
  private async withTimeout(step: string, run: (onExit: () => void) => Promise<number>): Promise<number> {
    const { timeoutSeconds } = this.request;
    const reason = `the ${step} exceeded the timeout of ${timeoutSeconds} s`;
    const timer = setTimeout(() => this.stop(exitCodes.timeout, reason), timeoutSeconds * 1000);
    const onExit = () => clearTimeout(timer);
    return run(onExit).finally(onExit);
  }
}
