export interface Task {
  arn: string;
  group: string;
  /** Status in the words of ECS, for example `PENDING` or `RUNNING`. */
  lastStatus: string;
  startedAt: Date | undefined;
}

export interface LaunchRequest {
  group: string;
  count: number;
  /** Launches with the same token start tasks once, so a launch may be repeated after a lost answer. */
  clientToken: string;
}

export interface LaunchResult {
  started: Task[];
  /** Reasons why fewer tasks were started than requested, for example `RESOURCE:FARGATE`. */
  failures: { reason: string; detail?: string | undefined }[];
}

/**
 * Provider of workers, each a task. A task exists when `list` returns the task, whoever started the task, so neither a
 * restart nor a second manager nor a task started by hand doubles capacity.
 */
export interface Compute {
  readonly provider: 'local' | 'ecs';
  /** True when launched tasks are listed immediately, false when listed some seconds later, as on ECS. */
  readonly listsAtOnce: boolean;
  list(groups: readonly string[]): Promise<Task[]>;
  /** Launches at most `maxLaunch` tasks. Throws when the provider refuses the whole call. */
  launch(request: LaunchRequest): Promise<LaunchResult>;
  /** Ends calls in flight, and local tasks, because local tasks must not outlive this process. */
  close(): Promise<void>;
}

/** Maximum of tasks in one launch, as for RunTask. */
export const maxLaunch = 10;
