import path from 'node:path';
import type { Task as AwsTask, KeyValuePair, RunTaskCommandInput, TaskOverride } from '@aws-sdk/client-ecs';
import type { Logger } from 'pino';
import { awsCaller } from '../../../aws/caller.js';
import type { Aws } from '../../../aws/clients.js';
import { AwsError } from '../../../aws/errors.js';
import { describedAtOnce, exists } from '../../../compute/ecs/provider.js';
import { SetupError } from '../../../contract/errors.js';
import { gitEnvironment } from '../checkout-script.js';
import type { CommandRequest, CommandRunner, ProviderLogEvent } from '../runner.js';
import { containerScript } from './container-script.js';
import { type EcsCommandSettings, ecsCommandDefinitions, streamPrefix, workspace } from './task-definitions.js';

export interface EcsCommandRunnerOptions {
  aws: Pick<Aws, 'ecs' | 'cloudWatchLogs' | 'reset'>;
  settings: EcsCommandSettings;
  log: Logger;
}

/** RunTask takes no more of what a task has of its own, in characters of JSON. */
const mostOverrides = 8192;

/** Containers in the order in which they run. */
const containers = ['git', 'main'];

/**
 * What a task has of its own: the command, its environment, the checkout. Whoever may call ecs:DescribeTasks can read it,
 * values of secrets and the token of a checkout included: ECS has no other way to give a single task anything. The token
 * goes to the container `git` alone, so that the command cannot read it.
 */
export function overridesOf({ executionId, command, env, timeoutSeconds, git }: CommandRequest): TaskOverride {
  const directory = git ? path.posix.join(workspace, 'repo', git.path ?? '') : workspace;
  const environment = pairs({ REEFGUIDE_EXECUTION_ID: executionId, ...env });
  return {
    containerOverrides: [
      ...(git ? [{ name: 'git', environment: pairs(gitEnvironment(git, workspace)) }] : []),
      { name: 'main', command: [containerScript({ command, timeoutSeconds, directory })], environment },
    ],
  };
}

/** Ad hoc commands as tasks of AWS ECS on Fargate. Their output and their end arrive as events. */
export function createEcsCommandRunner({ aws, settings, log }: EcsCommandRunnerOptions): CommandRunner {
  const { cluster } = settings;
  const stopping = new AbortController();
  const abortable = { abortSignal: stopping.signal };
  const call = awsCaller(aws);
  const definitions = ecsCommandDefinitions({ aws, settings, call, ...abortable }, (taskDefinition) =>
    log.info({ taskDefinition }, 'a task definition is registered'),
  );
  /** A task of another cluster, or of another kind of runner, would be refused together with all that are asked for with it. */
  const ofCluster = `:task/${cluster.replace(/^.*cluster\//, '')}/`;
  const owns = (taskArn: string) => taskArn.includes(ofCluster);

  /** ARN of the one task. A token that was used already answers with the task that it started. */
  const runTask = async (input: RunTaskCommandInput): Promise<string> => {
    const { ConflictException, RunTaskCommand } = await import('@aws-sdk/client-ecs');
    const resource = `task definition ${input.taskDefinition}`;
    try {
      const { tasks = [], failures = [] } = await call('ecs:RunTask', resource, async () =>
        (await aws.ecs()).send(new RunTaskCommand(input), abortable),
      );
      const arn = tasks[0]?.taskArn;
      if (arn) return arn;
      const told = failures.map(({ reason, detail }) => [reason, detail].filter(Boolean).join(': ')).join('; ');
      throw new SetupError(`ecs:RunTask on ${resource} started nothing: ${told || 'no reason given'}`, {
        hint: /capacity|RESOURCE/i.test(told)
          ? 'Fargate has no room for such a task just now: try again, or with an image of other size.'
          : `Check cluster, subnets and security group of executions (EXECUTION_…), then try again.`,
      });
    } catch (error) {
      const conflict = error instanceof AwsError && error.cause instanceof ConflictException ? error.cause : undefined;
      const arn = conflict?.resourceIds?.[0];
      if (!arn) throw error;
      log.info({ executionId: input.clientToken, taskArn: arn }, 'the launch had happened already');
      return arn;
    }
  };

  const describe = async (tasks: readonly string[]): Promise<AwsTask[]> => {
    const { DescribeTasksCommand } = await import('@aws-sdk/client-ecs');
    const answer = await call('ecs:DescribeTasks', `cluster ${cluster}`, async () =>
      (await aws.ecs()).send(new DescribeTasksCommand({ cluster, tasks: [...tasks] }), abortable),
    );
    return answer.tasks ?? [];
  };

  /** A page of one stream; undefined when nothing was logged to it, for then there is no stream. */
  const logPage = async (stream: string, nextToken: string | undefined) => {
    const { FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
    const input = { logGroupName: settings.logGroup, logStreamNames: [stream], nextToken };
    try {
      return await call('logs:FilterLogEvents', `log group ${settings.logGroup}`, async () =>
        (await aws.cloudWatchLogs()).send(new FilterLogEventsCommand(input), abortable),
      );
    } catch (error) {
      // The group itself must be there.
      if (error instanceof AwsError && error.code === 'ResourceNotFoundException' && /stream/i.test(error.message))
        return undefined;
      throw error;
    }
  };

  return {
    platform: 'ecs',
    async start(request) {
      const overrides = overridesOf(request);
      const size = JSON.stringify(overrides).length;
      if (size > mostOverrides) {
        throw new SetupError(`The command with its environment takes ${size} characters; ECS takes ${mostOverrides}`, {
          hint: 'Put the script into a Git repository and run it from there, or let it fetch large values itself.',
        });
      }
      const taskArn = await runTask({
        cluster,
        taskDefinition: request.taskDefinition ?? (await definitions.define(request.image)),
        count: 1,
        launchType: 'FARGATE',
        clientToken: request.executionId,
        startedBy: request.executionId,
        networkConfiguration: {
          awsvpcConfiguration: {
            subnets: [...settings.subnets],
            securityGroups: [settings.securityGroup],
            assignPublicIp: 'ENABLED',
          },
        },
        overrides,
      });
      return { taskArn, attached: undefined };
    },
    async stop(taskArn) {
      const { StopTaskCommand } = await import('@aws-sdk/client-ecs');
      const input = { cluster, task: taskArn, reason: 'The execution was stopped' };
      try {
        await call('ecs:StopTask', `task ${taskArn}`, async () =>
          (await aws.ecs()).send(new StopTaskCommand(input), abortable),
        );
      } catch (error) {
        // ECS forgets tasks an hour after their end.
        const isGone = error instanceof AwsError && error.code === 'InvalidParameterException';
        if (!isGone || !/task was not found/i.test(error.message)) throw error;
      }
    },
    owns,
    async existing(taskArns) {
      const asked = taskArns.filter(owns);
      const batches: string[][] = [];
      for (let n = 0; n < asked.length; n += describedAtOnce) batches.push(asked.slice(n, n + describedAtOnce));
      const found = (await Promise.all(batches.map(describe))).flat();
      return new Set(found.filter(exists).flatMap(({ taskArn }) => taskArn ?? []));
    },
    define: definitions.define,
    defined: definitions.defined,
    undefine: definitions.undefine,
    async *logs(taskArn) {
      const id = taskArn.replace(/^.*\//, '');
      for (const container of containers) {
        let nextToken: string | undefined;
        do {
          const page = await logPage(`${streamPrefix}/${container}/${id}`, nextToken);
          const events = (page?.events ?? []).flatMap(({ eventId, timestamp, message }): ProviderLogEvent[] =>
            eventId && timestamp !== undefined ? [{ id: eventId, timestamp, message: message ?? '' }] : [],
          );
          if (events.length > 0) yield events;
          nextToken = page?.nextToken;
        } while (nextToken);
      }
    },
    /** Tasks outlive this process; only calls in flight end. */
    async close() {
      stopping.abort();
      await aws.reset();
    },
  };
}

const pairs = (record: Readonly<Record<string, string>>): KeyValuePair[] =>
  Object.entries(record).map(([name, value]) => ({ name, value }));
