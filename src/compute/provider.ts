/** A task that starts or runs, as the provider lists it. */
export interface Task {
  arn: string;
  group: string;
  /** Status as ECS names it, for example `PENDING` or `RUNNING`. */
  lastStatus: string;
  startedAt: Date | undefined;
}

export interface LaunchRequest {
  group: string;
  count: number;
  /** Launches with the same token start their tasks once, so that a launch may be repeated when its answer was lost. */
  clientToken: string;
}

export interface LaunchResult {
  started: Task[];
  /** Reasons why fewer tasks were started than requested, for example `RESOURCE:FARGATE`. */
  failures: { reason: string; detail?: string | undefined }[];
}

/**
 * Provider of the tasks in which workers run. A task exists when `list` returns the task, whoever started the task, so that
 * neither a restart nor a second manager nor a task started by hand doubles capacity.
 */
export interface Compute {
  readonly provider: 'local' | 'ecs';
  /** True when launched tasks are listed immediately; on ECS that takes some seconds. */
  readonly listsAtOnce: boolean;
  /** Returns every existing task of the groups. */
  list(groups: readonly string[]): Promise<Task[]>;
  /** Launches at most `maxLaunch` tasks. Throws when the provider refuses the whole call. */
  launch(request: LaunchRequest): Promise<LaunchResult>;
  /** Ends calls in flight, and tasks that must not outlive this process: local tasks, but not those of ECS. */
  close(): Promise<void>;
}

/** The most tasks that RunTask starts in one call. */
export const maxLaunch = 10;
