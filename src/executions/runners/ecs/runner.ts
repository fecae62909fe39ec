import path from 'node:path';
import type { KeyValuePair, RunTaskCommandInput, TaskOverride } from '@aws-sdk/client-ecs';
import type { Logger } from 'pino';
import { awsCaller } from '../../../aws/caller.js';
import type { Aws } from '../../../aws/clients.js';
import { EcsTasks, startsOrRuns } from '../../../aws/ecs-tasks.js';
import { AwsError } from '../../../aws/errors.js';
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
  const ecsTasks = new EcsTasks(aws, stopping.signal);
  const definitions = ecsCommandDefinitions({ aws, settings, call, ...abortable }, (taskDefinition) =>
    log.info({ taskDefinition }, 'a task definition is registered'),
  );
  /** A task of another cluster, or of another kind of runner, would be refused together with all that are asked for with it. */
  const ofCluster = `:task/${cluster.replace(/^.*cluster\//, '')}/`;
  const owns = (taskArn: string) => taskArn.includes(ofCluster);

  /** Starts the one task and returns its ARN; a client token that was used before returns the ARN of the earlier task. */
  const runTask = async (input: RunTaskCommandInput): Promise<string> => {
    const { tasks, failures, hadRun } = await ecsTasks.run(input);
    const arn = tasks[0]?.taskArn;
    if (hadRun) log.info({ executionId: input.clientToken, taskArn: arn }, 'the launch had happened already');
    if (arn) return arn;
    const reasons = failures.map(({ reason, detail }) => [reason, detail].filter(Boolean).join(': ')).join('; ');
    const message = `ecs:RunTask on task definition ${input.taskDefinition} started nothing: ${reasons || 'no reason given'}`;
    throw new SetupError(message, {
      hint: /capacity|RESOURCE/i.test(reasons)
        ? 'Fargate has no room for such a task just now: try again, or with an image of other size.'
        : `Check cluster, subnets and security group of executions (EXECUTION_…), then try again.`,
    });
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
    stop: (taskArn) => ecsTasks.stop(cluster, taskArn, 'The execution was stopped'),
    owns,
    async existing(taskArns) {
      const tasks = await ecsTasks.describe(cluster, taskArns.filter(owns));
      return new Set(tasks.filter(startsOrRuns).flatMap(({ taskArn }) => taskArn ?? []));
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
