import { Flags, type Interfaces } from '@oclif/core';
import type { Api } from '../../client/api.js';
import { followLogs, waitUntilEnded } from '../../client/live-logs.js';
import type { ExecutionState, RunBody, StartedExecution } from '../../contract/executions.js';
import { ClientCommand } from '../command/client-command.js';
import { LogPrinter } from '../output/log-lines.js';
import { askForChoice, type Decision, Interrupts } from './interrupts.js';
import { describeExecution, describeNextSteps, getExitCode } from './outcome.js';

type RunFlags = Interfaces.InferredFlags<typeof RunCommand.baseFlags>;

/** Starts an execution, shows its logs until the end, and exits with its code. */
export abstract class RunCommand extends ClientCommand {
  static override baseFlags = {
    ...ClientCommand.baseFlags,
    image: Flags.string({ description: 'Image to run in (default: the registered default image)' }),
    env: Flags.string({
      description: 'Environment variable as NAME=value, or NAME to pass the value from here',
      multiple: true,
      multipleNonGreedy: true,
    }),
    secret: Flags.string({
      description: 'Name of a secret to set as an environment variable',
      multiple: true,
      multipleNonGreedy: true,
    }),
    timeout: Flags.string({ description: 'Stop the command after this time, for example 10m (default: a day)' }),
    raw: Flags.boolean({ description: 'Print the output unchanged, without line numbers and times' }),
    detach: Flags.boolean({ char: 'd', description: 'Start the command, print the execution id, and exit' }),
  };

  protected async runExecution(flags: RunFlags, body: RunBody): Promise<unknown> {
    const api = await this.connect(flags);
    if (!flags.detach) return this.runAttached(api, body, flags.raw);
    const started = await api.run(body);
    this.log(started.execution_id);
    this.report(describeNextSteps(started.execution_id));
    return started;
  }

  private async runAttached(api: Api, body: RunBody, raw: boolean): Promise<ExecutionState> {
    let id: string | undefined;
    const interrupts = watchInterrupts(() => id);
    try {
      const started = await api.run(body);
      id = started.execution_id;
      this.report(`Execution ${id} in ${started.image_id}`);
      interrupts.start();
      const state = await this.follow(api, started, interrupts, raw);
      await interrupts.answered();
      if (interrupts.decision) return await this.abandon(api, id, interrupts.decision);
      if (!state) throw new Error('the execution has not ended');
      this.report(describeExecution(state));
      process.exitCode = getExitCode(state);
      return state;
    } catch (error) {
      if (id) this.report(describeNextSteps(id));
      throw error;
    } finally {
      interrupts.stop();
    }
  }

  /** Prints the logs and returns the final state, or undefined when an interrupt ended the following. */
  private async follow(
    api: Api,
    { execution_id: id, websocket_url: websocketUrl }: StartedExecution,
    interrupts: Interrupts,
    raw: boolean,
  ): Promise<ExecutionState | undefined> {
    const { signal } = interrupts;
    const printer = new LogPrinter(this.jsonEnabled() ? process.stderr : process.stdout, { raw });
    const onRetry = (reason: string) => this.report(`Reconnecting to the logs: ${reason}`);
    for await (const event of followLogs(api, id, { websocketUrl, signal, onRetry })) {
      await interrupts.answered();
      if (signal.aborted) return undefined;
      printer.print(event);
    }
    try {
      return await waitUntilEnded(api, id, { signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Kills or leaves an execution after an interrupt, and exits with 130. */
  private async abandon(api: Api, id: string, decision: Decision): Promise<ExecutionState> {
    const killed = decision === 'kill' ? await api.killExecution(id) : undefined;
    const state = await api.executionStatus(id);
    if (killed) this.report(`Execution ${id} is being stopped.`);
    else if (state.completed_at) this.report(describeExecution(state));
    else this.report(`Execution ${id} keeps running.\n${describeNextSteps(id)}`);
    process.exitCode = 130;
    return state;
  }
}

/** Listens for interrupts. `getId` returns the id of the execution once started. */
function watchInterrupts(getId: () => string | undefined): Interrupts {
  return new Interrupts({
    source: process,
    ask: process.stdin.isTTY && process.stderr.isTTY ? () => askForChoice(getId() ?? '') : undefined,
    exit: () => {
      const id = getId();
      const message = id
        ? `Execution ${id} keeps running.\n${describeNextSteps(id)}`
        : 'The execution may have started: see `reefguide executions list`';
      process.stderr.write(`\n${message}\n`);
      process.exit(130);
    },
  });
}
