import type { ImageInfo } from '../../contract/images.js';
import type { LoggedLine } from '../../events/decode.js';

/** Image of a command: `cpu` in CPU units (1,024 are a virtual CPU), `memory` in MiB. */
export type CommandImage = Pick<
  ImageInfo,
  'image' | 'cpu' | 'memory' | 'runtime_platform' | 'task_role_name' | 'task_execution_role_name'
>;

/** Repository to check out before the command. `path` is the working directory in the checkout. */
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
  /** ARN of the image's task definition, for runners with task definitions. */
  taskDefinition: string | undefined;
  /** Variables, with the values of secrets. */
  env: Readonly<Record<string, string>>;
  timeoutSeconds: number;
  git: GitCheckout | undefined;
}

/** Exit codes set by runners. 130 is 128 + 2 (SIGINT). */
export const exitCodes = { timeout: 124, notStarted: 126, stopped: 130 } as const;

/** Command supervised by the present process. */
export interface AttachedCommand {
  /** stdout and stderr in one stream. */
  output: AsyncIterable<Uint8Array>;
  /** Resolves when the command itself runs, after image and checkout. Never rejects. */
  running: Promise<void>;
  /** Resolves after the last output, when no process of the command's group (or container) is left. Never rejects. */
  ended: Promise<{ exitCode: number }>;
  /** Must be called once the end is recorded. Until then the task exists for every server of the machine. */
  release(): Promise<void>;
}

export interface StartedCommand {
  taskArn: string;
  /** Undefined when output and end arrive as events. */
  attached: AttachedCommand | undefined;
}

/** Runs ad hoc commands, locally or on AWS. */
export interface CommandRunner {
  readonly platform: 'local' | 'ecs';
  /** Throws a SetupError when the command cannot be started. */
  start(request: CommandRequest): Promise<StartedCommand>;
  /** Sends SIGTERM, and SIGKILL after 10 s. Ignores an ended task. */
  stop(taskArn: string): Promise<void>;
  /** Returns true for tasks of the runner's cluster or, locally, of the runner's directory. */
  owns(taskArn: string): boolean;
  /** Returns the starting and running tasks among `taskArns`. */
  filterExisting(taskArns: readonly string[]): Promise<ReadonlySet<string>>;
  /** Registers a task definition for the image and returns its ARN; undefined where tasks need no definition. */
  define(image: CommandImage): Promise<string | undefined>;
  /** Returns the existing definitions among `taskDefinitions`. */
  filterDefined(taskDefinitions: readonly string[]): Promise<ReadonlySet<string>>;
  /** Takes a task definition out of use. Ignores an unknown definition. */
  undefine(taskDefinition: string): Promise<void>;
  /** Yields the provider's log lines of a task, oldest first. Yields nothing for attached commands. */
  readLogs(taskArn: string): AsyncIterable<readonly LoggedLine[]>;
  /** Ends attached commands. */
  close(): Promise<void>;
}
