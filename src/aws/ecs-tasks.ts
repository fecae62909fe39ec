import type { Failure, RunTaskCommandInput, Task } from '@aws-sdk/client-ecs';
import { type AwsCaller, awsCaller } from './caller.js';
import type { Aws } from './clients.js';
import { AwsError } from './errors.js';

/** The most tasks that ListTasks and DescribeTasks take in one call. */
const maxTasksPerCall = 100;
const endedOrEnding = new Set(['DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED']);

export interface RunTaskResult {
  /** Tasks that the call started or, for a client token that was used before, that the earlier call started. */
  tasks: Task[];
  failures: Failure[];
  /** True when the client token was used before with other parameters, for example with other subnets. */
  hadRun: boolean;
}

/** Tasks of AWS ECS: the calls that both workers and executions need. Each failure is an AwsError with action and remedy. */
export class EcsTasks {
  private readonly call: AwsCaller;

  /** `signal` ends calls in flight. */
  constructor(
    private readonly aws: Pick<Aws, 'ecs' | 'reset'>,
    private readonly signal: AbortSignal,
  ) {
    this.call = awsCaller(aws);
  }

  /**
   * Starts tasks by RunTask. Guarantee: calls with the same client token start their tasks once; repeated calls return the
   * same tasks.
   */
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

  /** Returns the tasks of the cluster that should run, whatever their number, including tasks that are about to start. */
  async list(cluster: string): Promise<Task[]> {
    const { paginateListTasks } = await import('@aws-sdk/client-ecs');
    const arns = await this.call('ecs:ListTasks', `cluster ${cluster}`, async () => {
      const client = await this.aws.ecs();
      const pages = paginateListTasks({ client, pageSize: maxTasksPerCall }, { cluster }, { abortSignal: this.signal });
      const found: string[] = [];
      for await (const { taskArns = [] } of pages) found.push(...taskArns);
      return found;
    });
    return this.describe(cluster, arns);
  }

  /** Returns the tasks that ECS still knows, in calls of 100; ECS forgets a task an hour after its end. */
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

/** Returns true for a task that starts or runs, for example with the status PENDING; false from DEACTIVATING on. */
export function startsOrRuns({ lastStatus = '' }: Task): boolean {
  return !endedOrEnding.has(lastStatus);
}
