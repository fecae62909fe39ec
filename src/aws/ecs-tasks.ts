import type { Failure, RunTaskCommandInput, Task } from '@aws-sdk/client-ecs';
import type { Aws } from './clients.js';
import { type AwsCaller, AwsError, awsCaller } from './errors.js';

/** Maximum of tasks in one call of ListTasks or DescribeTasks. */
const maxTasksPerCall = 100;
const endedOrEnding = new Set(['DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED']);

export interface RunTaskResult {
  /** Started tasks; for a repeated client token, the tasks of the first call. */
  tasks: Task[];
  failures: Failure[];
  /** True when an earlier call used the client token with different parameters, for example different subnets. */
  hadRun: boolean;
}

/** Tasks of AWS ECS: calls for both workers and executions. Each failure is an AwsError with action and remedy. */
export class EcsTasks {
  private readonly call: AwsCaller;

  /** `signal` ends calls in flight. */
  constructor(
    private readonly aws: Pick<Aws, 'ecs' | 'reset'>,
    private readonly signal: AbortSignal,
  ) {
    this.call = awsCaller(aws);
  }

  /** Starts tasks by RunTask. Ensures: calls with the same client token start tasks once, and return the same tasks. */
  async run(input: RunTaskCommandInput, timeoutSignal?: AbortSignal): Promise<RunTaskResult> {
    const { ConflictException, RunTaskCommand } = await import('@aws-sdk/client-ecs');
    const abortSignal = timeoutSignal ? AbortSignal.any([this.signal, timeoutSignal]) : this.signal;
    try {
      const resource = `task definition ${input.taskDefinition}`;
      const { tasks = [], failures = [] } = await this.call('ecs:RunTask', resource, async () =>
        (await this.aws.ecs()).send(new RunTaskCommand(input), { abortSignal }),
      );
      return { tasks, failures, hadRun: false };
    } catch (error) {
      const conflict = error instanceof AwsError && error.cause instanceof ConflictException ? error.cause : undefined;
      if (!conflict?.resourceIds?.length) throw error;
      const tasks = conflict.resourceIds.map((taskArn): Task => ({ taskArn, lastStatus: 'PENDING' }));
      return { tasks, failures: [], hadRun: true };
    }
  }

  async list(cluster: string): Promise<Task[]> {
    const { paginateListTasks } = await import('@aws-sdk/client-ecs');
    const arns = await this.call('ecs:ListTasks', `cluster ${cluster}`, async () => {
      const client = await this.aws.ecs();
      const pages = paginateListTasks({ client, pageSize: maxTasksPerCall }, { cluster }, { abortSignal: this.signal });
      const taskArns: string[] = [];
      for await (const page of pages) taskArns.push(...(page.taskArns ?? []));
      return taskArns;
    });
    return this.describe(cluster, arns);
  }

  /** Describes tasks in calls of 100. Omits tasks that ended over an hour ago, because ECS forgets such tasks. */
  async describe(cluster: string, arns: readonly string[]): Promise<Task[]> {
    const batches: string[][] = [];
    for (let n = 0; n < arns.length; n += maxTasksPerCall) batches.push(arns.slice(n, n + maxTasksPerCall));
    return (await Promise.all(batches.map((batch) => this.describeBatch(cluster, batch)))).flat();
  }

  private async describeBatch(cluster: string, tasks: string[]): Promise<Task[]> {
    const { DescribeTasksCommand } = await import('@aws-sdk/client-ecs');
    const answer = await this.call('ecs:DescribeTasks', `cluster ${cluster}`, async () =>
      (await this.aws.ecs()).send(new DescribeTasksCommand({ cluster, tasks }), { abortSignal: this.signal }),
    );
    return answer.tasks ?? [];
  }

  /** Stops a task; does nothing when ECS has forgotten the task. */
  async stop(cluster: string, task: string, reason: string): Promise<void> {
    const { StopTaskCommand } = await import('@aws-sdk/client-ecs');
    try {
      await this.call('ecs:StopTask', `task ${task}`, async () =>
        (await this.aws.ecs()).send(new StopTaskCommand({ cluster, task, reason }), { abortSignal: this.signal }),
      );
    } catch (error) {
      const isForgotten =
        error instanceof AwsError &&
        error.code === 'InvalidParameterException' &&
        /task was not found/i.test(error.message);
      if (!isForgotten) throw error;
    }
  }
}

/** Returns true for a starting or running task, for example with the status PENDING; false from DEACTIVATING on. */
export function startsOrRuns({ lastStatus = '' }: Task): boolean {
  return !endedOrEnding.has(lastStatus);
}
