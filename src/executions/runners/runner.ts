/** Image that a command runs in. */
export interface CommandImage {
  image: string;
  /** CPU units: 1,024 are one virtual CPU. */
  cpu: number;
  /** MiB. */
  memory: number;
  /** `Linux/X86_64` or `Linux/ARM64`. */
  runtimePlatform: string;
  taskRoleName: string | undefined;
  taskExecutionRoleName: string | undefined;
}

/** Repository that is checked out before the command, which then runs in `path` of the checkout. */
export interface GitCheckout {
  /** Address without credentials. */
  repo: string;
  ref: string | undefined;
  path: string | undefined;
  /** Owner of the token, for hosts that check the user name. */
  user?: string | undefined;
  /** Sent to the repository's host alone; neither shown nor left on disk. */
  token: string | undefined;
}

export interface CommandRequest {
  executionId: string;
  /** Run by `sh -c`. */
  command: string;
  image: CommandImage;
  /** ARN of the image's task definition, for runners that need a task definition. */
  taskDefinition: string | undefined;
  /** Variables, with the values of secrets. */
  env: Readonly<Record<string, string>>;
  timeoutSeconds: number;
  git: GitCheckout | undefined;
}

/** Exit codes of commands that did not end by themselves. 130 is 128 + 2 (SIGINT). */
export const exitCodes = { timeout: 124, notStarted: 126, stopped: 130 } as const;

/** End of a command, with one of `exitCodes` or the exit code of the command itself. */
export interface CommandEnd {
  exitCode: number;
}

/** Command whose output and end come from this process. */
export interface AttachedCommand {
  /** stdout and stderr as one stream. */
  output: AsyncIterable<Uint8Array>;
  /** Resolves when the command itself runs, after image and checkout. Never rejects. */
  running: Promise<void>;
  /** Resolves after the last output, when no process of the command's group (or container) is left. Never rejects. */
  ended: Promise<CommandEnd>;
  /** Must be called once the end is recorded. Until then the task exists for every server of this machine. */
  release(): Promise<void>;
}

export interface StartedCommand {
  taskArn: string;
  /** Undefined when output and end arrive as events. */
  attached: AttachedCommand | undefined;
}

/** Runs ad hoc commands, on this machine or on AWS. */
export interface CommandRunner {
  readonly platform: 'local' | 'ecs';
  /** Throws a SetupError when the command cannot be started. */
  start(request: CommandRequest): Promise<StartedCommand>;
  /** Sends SIGTERM, and SIGKILL after 10 s. Does nothing to a task that has ended. */
  stop(taskArn: string): Promise<void>;
  /** Returns true for tasks of this runner: of its cluster, or of its directory on this machine. */
  owns(taskArn: string): boolean;
  /** Returns those of the tasks that start or run. */
  filterExisting(taskArns: readonly string[]): Promise<ReadonlySet<string>>;
  /** Registers a task definition for the image and returns its ARN; undefined where tasks need no definition. */
  define(image: CommandImage): Promise<string | undefined>;
  /** Returns those of the task definitions that exist. */
  filterDefined(taskDefinitions: readonly string[]): Promise<ReadonlySet<string>>;
  /** Takes a task definition out of use. Does nothing to a definition that has gone. */
  undefine(taskDefinition: string): Promise<void>;
  /** Yields the log events of a task that the provider has, oldest first. Yields none where output is attached. */
  readLogs(taskArn: string): AsyncIterable<readonly ProviderLogEvent[]>;
  /** Ends commands that must not outlive this process. */
  close(): Promise<void>;
}

/** Log event with the id under which the provider also delivers the event. */
export interface ProviderLogEvent {
  id: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  message: string;
}
