import path from 'node:path';
import type { KeyValuePair, RunTaskCommandInput, TaskOverride } from '@aws-sdk/client-ecs';
import type { Logger } from 'pino';
import type { Aws } from '../../../aws/clients.js';
import { EcsTasks, startsOrRuns } from '../../../aws/ecs-tasks.js';
import { type AwsCaller, AwsError, awsCaller } from '../../../aws/errors.js';
import { SetupError } from '../../../contract/errors.js';
import type { LoggedLine } from '../../../events/decode.js';
import { toGitEnvironment } from '../checkout-script.js';
import type { CommandImage, CommandRequest, CommandRunner, StartedCommand } from '../runner.js';
import { containerScript } from './container-script.js';
import { type EcsCommandSettings, streamPrefix, TaskDefinitions, workspace } from './task-definitions.js';

export interface EcsCommandRunnerOptions {
  aws: Pick<Aws, 'ecs' | 'cloudWatchLogs' | 'reset'>;
  settings: EcsCommandSettings;
  log: Logger;
}

/** Limit of RunTask for the overrides of a task, in characters of JSON. */
const maxOverridesCharacters = 8192;

/**
 * Returns command, variables and checkout of one task. Everybody with ecs:DescribeTasks can read the overrides, secrets
 * and the token of a checkout included, because ECS has no other way to hand values to a single task. The container
 * `git` alone receives the token: the command cannot read the token.
 */
export function toOverrides({ executionId, command, env, timeoutSeconds, git }: CommandRequest): TaskOverride {
  const directory = git ? path.posix.join(workspace, 'repo', git.path ?? '') : workspace;
  const environment = toPairs({ REEFGUIDE_EXECUTION_ID: executionId, ...env });
  return {
    containerOverrides: [
      ...(git ? [{ name: 'git', environment: toPairs(toGitEnvironment(git, workspace)) }] : []),
      { name: 'main', command: [containerScript({ command, timeoutSeconds, directory })], environment },
    ],
  };
}

const toPairs = (record: Readonly<Record<string, string>>): KeyValuePair[] =>
  Object.entries(record).map(([name, value]) => ({ name, value }));

/** Runs commands as tasks of AWS ECS on Fargate. Output and ends of the commands arrive as events. */
export class EcsCommandRunner implements CommandRunner {
  readonly platform = 'ecs';
  private readonly closing = new AbortController();
  private readonly call: AwsCaller;
  private readonly tasks: EcsTasks;
  private readonly definitions: TaskDefinitions;
  /** Part of the ARN of each task of the cluster, for example `:task/reefguide/`. */
  private readonly arnPart: string;
  readonly define = (image: CommandImage) => this.definitions.define(image);
  readonly filterDefined = (taskDefinitions: readonly string[]) => this.definitions.filterDefined(taskDefinitions);
  readonly undefine = (taskDefinition: string) => this.definitions.undefine(taskDefinition);

  constructor(private readonly options: EcsCommandRunnerOptions) {
    const { aws, settings, log } = options;
    const { signal } = this.closing;
    this.call = awsCaller(aws);
    this.tasks = new EcsTasks(aws, signal);
    this.definitions = new TaskDefinitions({ aws, settings, call: this.call, signal, log });
    this.arnPart = `:task/${settings.cluster.replace(/^.*cluster\//, '')}/`;
  }

  async start(request: CommandRequest): Promise<StartedCommand> {
    const { cluster, subnets, securityGroup } = this.options.settings;
    const overrides = toOverrides(request);
    const characters = JSON.stringify(overrides).length;
    if (characters > maxOverridesCharacters) {
      const message = `The command with its variables has ${characters} characters; ECS takes ${maxOverridesCharacters}`;
      const hint = 'Put the script into a Git repository and run it from there, or let it fetch large values itself.';
      throw new SetupError(message, { hint });
    }
    const taskArn = await this.runTask({
      cluster,
      taskDefinition: request.taskDefinition ?? (await this.define(request.image)),
      count: 1,
      launchType: 'FARGATE',
      clientToken: request.executionId,
      startedBy: request.executionId,
      networkConfiguration: {
        awsvpcConfiguration: { subnets: [...subnets], securityGroups: [securityGroup], assignPublicIp: 'ENABLED' },
      },
      overrides,
    });
    return { taskArn, attached: undefined };
  }

  stop(taskArn: string): Promise<void> {
    return this.tasks.stop(this.options.settings.cluster, taskArn, 'The execution was stopped');
  }

  owns(taskArn: string): boolean {
    return taskArn.includes(this.arnPart);
  }

  /** Leaves out tasks of other clusters, because ECS would refuse the whole call. */
  async filterExisting(taskArns: readonly string[]): Promise<ReadonlySet<string>> {
    const ownArns = taskArns.filter((taskArn) => this.owns(taskArn));
    const tasks = await this.tasks.describe(this.options.settings.cluster, ownArns);
    return new Set(tasks.filter(startsOrRuns).flatMap(({ taskArn }) => taskArn ?? []));
  }

  async *readLogs(taskArn: string): AsyncGenerator<LoggedLine[]> {
    const taskId = taskArn.replace(/^.*\//, '');
    // The containers of a task in running order.
    for (const container of ['git', 'main']) {
      let nextToken: string | undefined;
      do {
        const page = await this.readLogPage(`${streamPrefix}/${container}/${taskId}`, nextToken);
        const events = (page?.events ?? []).flatMap(({ eventId, timestamp, message }): LoggedLine[] =>
          eventId && timestamp !== undefined ? [{ id: eventId, timestamp, message: message ?? '' }] : [],
        );
        if (events.length > 0) yield events;
        nextToken = page?.nextToken;
      } while (nextToken);
    }
  }

  /** Ends calls in flight. Tasks outlive this process. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.options.aws.reset();
  }

  /** Starts the one task and returns its ARN; a repeated client token returns the ARN of the earlier task. */
  private async runTask(input: RunTaskCommandInput): Promise<string> {
    const { tasks, failures, hadRun } = await this.tasks.run(input);
    const arn = tasks[0]?.taskArn;
    if (hadRun) this.options.log.info({ executionId: input.clientToken, taskArn: arn }, 'the task was launched before');
    if (arn) return arn;
    const reasons = failures.map(({ reason, detail }) => [reason, detail].filter(Boolean).join(': ')).join('; ');
    const message = `ecs:RunTask on task definition ${input.taskDefinition} started nothing: ${reasons || 'no reason given'}`;
    throw new SetupError(message, {
      hint: /capacity|RESOURCE/i.test(reasons)
        ? 'Fargate has no capacity for the task now: try again, or use an image of another size.'
        : 'Check cluster, subnets and security group of executions (EXECUTION_…), then try again.',
    });
  }

  /** Returns a page of a log stream; undefined for a missing stream: ECS creates a stream with the first line. */
  private async readLogPage(stream: string, nextToken: string | undefined) {
    const { FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
    const { logGroup: logGroupName } = this.options.settings;
    const command = new FilterLogEventsCommand({ logGroupName, logStreamNames: [stream], nextToken });
    try {
      return await this.call('logs:FilterLogEvents', `log group ${logGroupName}`, async () =>
        (await this.options.aws.cloudWatchLogs()).send(command, { abortSignal: this.closing.signal }),
      );
    } catch (error) {
      const isNotFound = error instanceof AwsError && error.code === 'ResourceNotFoundException';
      // A missing log group is an error.
      if (isNotFound && /stream/i.test(error.message)) return undefined;
      throw error;
    }
  }
}
