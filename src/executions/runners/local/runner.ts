import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { readOrCreate } from '../../../platform/files.js';
import { isAlive } from '../../../platform/processes.js';
import { type CommandRequest, type CommandRunner, exitCodes, type StartedCommand } from '../runner.js';
import { LocalCommand, type LocalCommandOptions, toContainerName } from './command.js';
import { type ContainerEngine, ContainerEngines } from './container-engine.js';
import { CommandDirectory, removeOrphans } from './workspace.js';

export interface LocalRunnerOptions {
  /** Parent of the directories of commands. */
  directory: string;
  /** Container engines in order of preference; none: commands run as processes. */
  engines: readonly ContainerEngine[];
  /** Refuses commands when no engine answers, rather than running processes. */
  engineOnly?: boolean;
  /** Variables of the server. Commands receive path and language alone. */
  env: NodeJS.ProcessEnv;
  /** Milliseconds between SIGTERM and SIGKILL. */
  killAfterMs?: number;
  /** Most running commands; further commands wait. */
  maxConcurrent?: number;
  now(): number;
}

const inheritedVariables = ['PATH', 'LANG', 'LC_ALL', 'TZ'];
const arnPrefix = 'arn:aws:ecs:local:000000000000:task';

/** Opens the runner of local commands. Ends the commands of killed servers. */
export async function openLocalCommandRunner(options: LocalRunnerOptions): Promise<CommandRunner> {
  const { directory, engines, env, now } = options;
  await mkdir(directory, { recursive: true });
  // Names the directory in ARNs, because several servers, each with a directory, may share a database.
  const machine = await readOrCreate(`${directory}.id`, async () => `reefguide-${randomBytes(4).toString('hex')}`);
  const containerEngines = new ContainerEngines(engines, env, now);
  const runner = new LocalCommandRunner(`${arnPrefix}/${machine}/`, containerEngines, options);
  await runner.removeOrphans();
  void containerEngines.find();
  return runner;
}

/** Runs commands as process groups, or as containers when an engine answers. */
class LocalCommandRunner implements CommandRunner {
  readonly platform = 'local';
  private readonly commands = new Map<string, LocalCommand>();
  private readonly commandOptions: Omit<LocalCommandOptions, 'onRelease'>;
  private isClosing = false;

  constructor(
    private readonly arnPrefix: string,
    private readonly containerEngines: ContainerEngines,
    private readonly options: LocalRunnerOptions,
  ) {
    const { directory, env, killAfterMs = 10_000, maxConcurrent = 200 } = options;
    const inherited = inheritedVariables.flatMap((name) => (env[name] ? [[name, env[name]]] : []));
    this.commandOptions = {
      root: directory,
      baseEnv: Object.fromEntries(inherited),
      engineEnv: env,
      containerEngines,
      explainNoEngine: () => this.explainNoEngine(),
      killAfterMs,
      limit: pLimit(maxConcurrent),
      isClosing: () => this.isClosing,
    };
  }

  async start(request: CommandRequest): Promise<StartedCommand> {
    const { executionId } = request;
    const onRelease = () => this.commands.delete(executionId);
    const command = new LocalCommand(request, { ...this.commandOptions, onRelease });
    this.commands.set(executionId, command);
    return { taskArn: `${this.arnPrefix}${executionId}`, attached: command };
  }

  async stop(taskArn: string): Promise<void> {
    this.commands.get(path.basename(taskArn))?.stop(exitCodes.stopped);
  }

  owns(taskArn: string): boolean {
    return taskArn.startsWith(this.arnPrefix);
  }

  async filterExisting(taskArns: readonly string[]): Promise<ReadonlySet<string>> {
    await this.removeOrphans();
    const existing = new Set<string>();
    for (const taskArn of taskArns) if (await this.exists(path.basename(taskArn))) existing.add(taskArn);
    return existing;
  }

  async define(): Promise<undefined> {}

  async filterDefined(taskDefinitions: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(taskDefinitions);
  }

  async undefine(): Promise<void> {}

  async *readLogs(): AsyncGenerator<never> {}

  async close(): Promise<void> {
    this.isClosing = true;
    const commands = [...this.commands.values()];
    for (const command of commands) command.stop(exitCodes.stopped, 'the server stopped');
    await Promise.all(commands.map(({ ended }) => ended));
  }

  removeOrphans(): Promise<void> {
    const removeContainer = (id: string) => this.containerEngines.remove(toContainerName(id));
    return removeOrphans(this.options.directory, removeContainer);
  }

  /** Returns true for a command of this process, or of another living server with the same directory. */
  private async exists(executionId: string): Promise<boolean> {
    if (this.commands.has(executionId)) return true;
    const owner = await new CommandDirectory(this.options.directory, executionId).readOwner();
    return owner !== undefined && owner.pid !== process.pid && isAlive(owner);
  }

  private explainNoEngine(): string {
    const { engines, engineOnly } = this.options;
    if (engineOnly) throw new Error(`${engines.join(' or ')} does not answer`);
    return engines.length > 0 ? 'neither docker nor podman answers' : 'no container engine is enabled';
  }
}
