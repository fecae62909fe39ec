/** A task that the provider says exists: starting or running, not stopping or stopped. */
export interface Task {
  arn: string;
  group: string;
  lastStatus: string;
  startedAt: Date | undefined;
}

export interface LaunchRequest {
  group: string;
  count: number;
  /** The same token launches nothing twice: a retry after a lost answer is safe. */
  clientToken: string;
}

export interface LaunchResult {
  started: Task[];
  /** Why fewer were started than asked for. */
  failures: { reason: string; detail?: string | undefined }[];
}

/**
 * Where tasks run, as the capacity manager needs it. What exists is what `list` says exists, whoever started it, so that
 * a restart, a second manager or a task started by hand never doubles capacity. ECS fits it call by call: `ListTasks` with
 * `DescribeTasks`, `RunTask`, `StopTask`.
 */
export interface Compute {
  readonly provider: 'local' | 'ecs';
  /** Whether what was launched is listed from then on, rather than some seconds later. */
  readonly listsAtOnce: boolean;
  /** Every existing task of the groups. */
  list(groups: readonly string[]): Promise<Task[]>;
  /** At most ten at once, as RunTask allows. Throws when the provider refuses the call as a whole. */
  launch(request: LaunchRequest): Promise<LaunchResult>;
  /** Stops what must not outlive this process. ECS tasks do; local ones do not. */
  close(): Promise<void>;
}

/** The most tasks that one launch may ask for. */
export const maxLaunch = 10;
