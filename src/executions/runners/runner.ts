/** What a command runs in. */
export interface CommandImage {
  image: string;
  /** CPU units and MiB. */
  cpu: number;
  memory: number;
  /** `Linux/X86_64` or `Linux/ARM64`. */
  runtimePlatform: string;
  taskRoleName: string | undefined;
  taskExecutionRoleName: string | undefined;
}

/** A checkout before the command, which then runs in `path` of it. */
export interface GitCheckout {
  /** Without credentials. */
  repo: string;
  ref: string | undefined;
  path: string | undefined;
  /** Who the token belongs to, where that matters. */
  user?: string | undefined;
  /** Sent to the repository's host alone; neither shown nor left on disk. */
  token: string | undefined;
}

export interface CommandRequest {
  executionId: string;
  /** Run by `sh -c`. */
  command: string;
  image: CommandImage;
  /** ARN of the image's task definition, where tasks need one. */
  taskDefinition: string | undefined;
  /** With the values of secrets. */
  env: Readonly<Record<string, string>>;
  timeoutSeconds: number;
  git: GitCheckout | undefined;
}

/** How a command ended: 124 after its time was up, 130 when it was stopped, else what it exited with. */
export interface CommandEnd {
  exitCode: number;
}

/** A command of this process: what it prints (both streams as one, in order) and how it ends come from here. */
export interface AttachedCommand {
  output: AsyncIterable<Uint8Array>;
  /** Resolves when the command itself runs: its image and its checkout are there. Never rejects. */
  running: Promise<void>;
  /** Resolves after the last output, when no process of its group (or container) is left. Never rejects. */
  ended: Promise<CommandEnd>;
  /** To be called when its end is recorded: until then it exists for whoever else looks after this machine's commands. */
  release(): Promise<void>;
}

export interface StartedCommand {
  taskArn: string;
  /** undefined: its output and its end arrive as events. */
  attached: AttachedCommand | undefined;
}

/** Where ad hoc commands run. */
export interface CommandRunner {
  readonly platform: 'local' | 'ecs';
  /** Throws a SetupError when the command cannot be started. */
  start(request: CommandRequest): Promise<StartedCommand>;
  /** SIGTERM, and SIGKILL after 10 s. One that has ended is no error. */
  stop(taskArn: string): Promise<void>;
  /** Whether it is this runner's to say if the task exists: one of its cluster, or of its folder on this machine. */
  owns(taskArn: string): boolean;
  /** Which of these tasks exist: starting or running. */
  existing(taskArns: readonly string[]): Promise<ReadonlySet<string>>;
  /** Makes (anew) what tasks of the image are launched from: its ARN, or undefined where there is nothing to make. */
  define(image: CommandImage): Promise<string | undefined>;
  /** Which of these definitions exist. */
  defined(taskDefinitions: readonly string[]): Promise<ReadonlySet<string>>;
  /** Takes the definition out of use. One that is gone is no error. */
  undefine(taskDefinition: string): Promise<void>;
  /** Log events of a task that the provider keeps, oldest first; empty where output is attached. */
  logs(taskArn: string): AsyncIterable<readonly ProviderLogEvent[]>;
  /** Ends what must not outlive this process. */
  close(): Promise<void>;
}

/** A line that a provider logged, under the id by which it also announces it. */
export interface ProviderLogEvent {
  id: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  message: string;
}
