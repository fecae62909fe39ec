import { Flags } from '@oclif/core';
import type { Api } from '../../client/api.js';
import type { ExecutionState, RunBody, StartedExecution } from '../../contract/executions.js';
import { wrongUsage } from '../command/arguments.js';
import { ClientCommand } from '../command/base-command.js';
import { duration, parseDuration } from '../output/format.js';
import type { Interrupts } from './interrupts.js';

interface RunFlags {
  api?: string | undefined;
  detach: boolean;
  raw: boolean;
}

/** What the commands that run something share: the flags, following it to its end, its exit code. */
export abstract class RunCommand extends ClientCommand {
  static override baseFlags = {
    ...ClientCommand.baseFlags,
    image: Flags.string({ description: 'Image to run in (default: the registered default)' }),
    env: Flags.string({
      description: 'Environment variable, NAME=value; NAME alone takes the value from here',
      multiple: true,
      multipleNonGreedy: true,
    }),
    secret: Flags.string({
      description: 'Name of a secret, which becomes its variable',
      multiple: true,
      multipleNonGreedy: true,
    }),
    timeout: Flags.string({ description: 'Stop it after so long, for example 10m (default: a day)' }),
    raw: Flags.boolean({ description: 'Print its output as it is, without numbers and times' }),
    detach: Flags.boolean({ char: 'd', description: 'Start it, print its id, and leave' }),
  };

  /** Starts an execution and shows its logs until it ends; this process then exits with the command's own code. */
  protected async runExecution(flags: RunFlags, body: RunBody): Promise<unknown> {
    const api = await this.connect(flags);
    if (flags.detach) {
      const started = await api.run(body);
      this.log(started.execution_id);
      this.tell(howToGoOn(started.execution_id));
      return started;
    }
    const { askWhatNow, watchInterrupts } = await import('./interrupts.js');
    let id = '';
    const interrupts = watchInterrupts({
      source: process,
      ask: process.stdin.isTTY && process.stderr.isTTY ? () => askWhatNow(id) : undefined,
      leave: () => {
        const what = id
          ? `Execution ${id} goes on.\n${howToGoOn(id)}`
          : 'It may have started: reefguide executions list';
        process.stderr.write(`\n${what}\n`);
        process.exit(130);
      },
    });
    try {
      const started = await api.run(body);
      id = started.execution_id;
      this.tell(`Execution ${id} in ${started.image_id}`);
      interrupts.begin();
      const state = await this.followToEnd(api, started, interrupts, flags.raw);
      await interrupts.quiet();
      const decision = interrupts.decision();
      if (decision) return await this.leave(api, id, decision);
      if (!state) throw new Error('the execution has not ended');
      this.tell(describeEnd(state));
      process.exitCode = exitCodeOf(state);
      return state;
    } catch (error) {
      if (id) this.tell(howToGoOn(id));
      throw error;
    } finally {
      interrupts.stop();
    }
  }

  /** How it ended; undefined when it was decided not to wait for that. */
  private async followToEnd(
    api: Api,
    { execution_id: id, websocket_url: websocketUrl }: StartedExecution,
    { signal, quiet }: Interrupts,
    raw: boolean,
  ): Promise<ExecutionState | undefined> {
    const [{ followLogs, untilEnded }, { createLogLines }] = await Promise.all([
      import('../../client/live-logs.js'),
      import('../output/log-lines.js'),
    ]);
    const lines = createLogLines(this.jsonEnabled() ? process.stderr : process.stdout, { raw });
    const onTrouble = (reason: string) => this.tell(`No logs just now, trying again: ${reason}`);
    for await (const event of followLogs(api, id, { websocketUrl, signal, onTrouble })) {
      await quiet();
      if (signal.aborted) return undefined;
      lines.show(event);
    }
    try {
      return await untilEnded(api, id, { signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  private async leave(api: Api, id: string, decision: 'kill' | 'detach'): Promise<ExecutionState> {
    const killed = decision === 'kill' ? await api.killExecution(id) : undefined;
    const state = await api.executionStatus(id);
    if (killed) this.tell(`Execution ${id} is being stopped.`);
    else if (state.completed_at) this.tell(describeEnd(state));
    else this.tell(`Execution ${id} goes on.\n${howToGoOn(id)}`);
    process.exitCode = 130;
    return state;
  }
}

const howToGoOn = (id: string) =>
  `Follow it with: reefguide executions logs ${id}\nKill it with:   reefguide executions kill ${id}`;

/** The command's own exit code; 1 for a failure that left none, or none that a process can have. */
export function exitCodeOf({ status, exit_code: code }: Pick<ExecutionState, 'status' | 'exit_code'>): number {
  if (status === 'SUCCEEDED') return 0;
  return code !== null && code > 0 && code < 256 ? code : 1;
}

/** `Execution … FAILED with exit code 3 after 12s`. */
export function describeEnd(state: ExecutionState): string {
  const code = state.exit_code === null ? '' : ` with exit code ${state.exit_code}`;
  const seconds = state.completed_at
    ? (Date.parse(state.completed_at) - Date.parse(state.started_at)) / 1000
    : undefined;
  return `Execution ${state.execution_id} ${state.status}${code}${seconds === undefined ? '' : ` after ${duration(seconds)}`}`;
}

/** `10m` in seconds, whole ones. */
export function parseTimeout(text: string): number {
  const ms = text === '0' ? 0 : parseDuration(text);
  if (ms === undefined) throw wrongUsage(`--timeout ${text} is no duration: write for example 90s or 10m`);
  return Math.ceil(ms / 1000);
}
