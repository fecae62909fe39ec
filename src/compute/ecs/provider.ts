import type { Task as AwsTask, Failure, RunTaskCommandInput } from '@aws-sdk/client-ecs';
import type { Logger } from 'pino';
import { awsCaller } from '../../aws/caller.js';
import type { Aws } from '../../aws/clients.js';
import { AwsError } from '../../aws/errors.js';
import type { Compute, LaunchRequest, LaunchResult, Task } from '../provider.js';
import { createPublicSubnets } from './subnets.js';
import { type EcsTaskDefinition, familyOf } from './task-definition.js';

export interface EcsComputeOptions {
  aws: Pick<Aws, 'ecs' | 'ec2' | 'reset'>;
  definitions: readonly EcsTaskDefinition[];
  vpcId: string;
  log: Logger;
  /** A launch is given up after it, and its answer called lost: long before the lease that allows it can lapse. */
  launchWithinMs?: number;
  now(): number;
}

/** DescribeTasks takes so many at once. */
export const describedAtOnce = 100;
const startedBy = 'reefguide-capacity';
const gone = new Set(['DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED']);

/** Tasks on AWS ECS Fargate. Its calls are those of `aws.md`; each failure is an AwsError that names call and remedy. */
export function createEcsCompute(options: EcsComputeOptions): Compute {
  const { aws, log, launchWithinMs = 15_000, now } = options;
  const definitions = new Map(options.definitions.map((definition) => [definition.group, definition]));
  const subnets = createPublicSubnets(aws, options.vpcId, now);
  const stopping = new AbortController();
  const abortable = { abortSignal: stopping.signal };
  const withoutSpot = new Set<string>();
  const call = awsCaller(aws);

  /** Every task of the cluster that should run. One listing serves all groups: 100 tasks a call, whatever their number. */
  const arnsOf = async (cluster: string): Promise<string[]> => {
    const { paginateListTasks } = await import('@aws-sdk/client-ecs');
    return call('ecs:ListTasks', `cluster ${cluster}`, async () => {
      const arns: string[] = [];
      const pages = paginateListTasks({ client: await aws.ecs(), pageSize: describedAtOnce }, { cluster }, abortable);
      for await (const { taskArns = [] } of pages) arns.push(...taskArns);
      return arns;
    });
  };

  const describe = async (cluster: string, tasks: string[]): Promise<AwsTask[]> => {
    const { DescribeTasksCommand } = await import('@aws-sdk/client-ecs');
    const answer = await call('ecs:DescribeTasks', `cluster ${cluster}`, async () =>
      (await aws.ecs()).send(new DescribeTasksCommand({ cluster, tasks }), abortable),
    );
    return answer.tasks ?? [];
  };

  const tasksOf = async (cluster: string): Promise<AwsTask[]> => {
    const arns = await arnsOf(cluster);
    const batches: string[][] = [];
    for (let n = 0; n < arns.length; n += describedAtOnce) batches.push(arns.slice(n, n + describedAtOnce));
    return (await Promise.all(batches.map((batch) => describe(cluster, batch)))).flat();
  };

  /** One RunTask. A token that was used already answers with the tasks that it started. */
  const runTask = async (
    { family, taskDefinition, cluster, securityGroup }: EcsTaskDefinition,
    launch: Pick<RunTaskCommandInput, 'count' | 'clientToken' | 'launchType' | 'capacityProviderStrategy'>,
    group: string,
  ): Promise<LaunchResult> => {
    const { ConflictException, RunTaskCommand } = await import('@aws-sdk/client-ecs');
    const networkConfiguration = {
      awsvpcConfiguration: {
        subnets: await subnets(),
        securityGroups: [securityGroup],
        assignPublicIp: 'ENABLED' as const,
      },
    };
    const command = new RunTaskCommand({ cluster, taskDefinition, startedBy, networkConfiguration, ...launch });
    try {
      const { tasks = [], failures = [] } = await call('ecs:RunTask', `task definition ${taskDefinition}`, async () =>
        (await aws.ecs()).send(command, {
          abortSignal: AbortSignal.any([stopping.signal, AbortSignal.timeout(launchWithinMs)]),
        }),
      );
      return { started: tasks.filter(exists).flatMap((one) => taskOf(one, group)), failures: failures.map(toldOf) };
    } catch (error) {
      // The token was used with other subnets: what it started then is what it starts now.
      if (!(error instanceof AwsError) || error.code !== 'ConflictException') throw error;
      const arns = error.cause instanceof ConflictException ? (error.cause.resourceIds ?? []) : [];
      log.info({ family, taskArns: arns }, 'the launch had happened already');
      const started = arns.map((arn): Task => ({ arn, group, lastStatus: 'PENDING', startedAt: undefined }));
      return { started, failures: [] };
    }
  };

  /** On Spot first. What Spot does not give is launched on demand, under a token of its own. */
  const launchOnSpot = async (
    definition: EcsTaskDefinition,
    { group, count, clientToken }: LaunchRequest,
  ): Promise<LaunchResult> => {
    let onSpot: LaunchResult = { started: [], failures: [] };
    try {
      const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];
      onSpot = await runTask(definition, { count, clientToken, capacityProviderStrategy }, group);
      if (onSpot.failures.length === 0) {
        if (withoutSpot.delete(group)) log.info({ group }, 'Spot has capacity again');
        return onSpot;
      }
      if (!onSpot.failures.every(({ reason }) => lacksCapacity(reason))) return onSpot;
    } catch (error) {
      if (!(error instanceof AwsError) || !lacksCapacity(error.message)) throw error;
    }
    if (!withoutSpot.has(group)) log.warn({ group }, 'Spot has no capacity; launching on demand');
    withoutSpot.add(group);
    const onDemand = await runTask(
      definition,
      { count: count - onSpot.started.length, clientToken: `${clientToken}-fargate`, launchType: 'FARGATE' },
      group,
    );
    return { started: [...onSpot.started, ...onDemand.started], failures: onDemand.failures };
  };

  return {
    provider: 'ecs',
    listsAtOnce: false,
    async list(groups) {
      const wanted = groups.flatMap((group) => definitions.get(group) ?? []);
      const clusters = [...new Set(wanted.map(({ cluster }) => cluster))];
      const found = await Promise.all(clusters.map(async (cluster) => [cluster, await tasksOf(cluster)] as const));
      return found.flatMap(([cluster, tasks]) => {
        const groupOf = new Map(wanted.flatMap((one) => (one.cluster === cluster ? [[one.family, one.group]] : [])));
        return tasks.filter(exists).flatMap((one) => {
          const group = groupOf.get(familyOf(one.taskDefinitionArn ?? ''));
          return group === undefined ? [] : taskOf(one, group);
        });
      });
    },
    async launch(request) {
      const { group, count, clientToken } = request;
      const definition = definitions.get(group);
      if (!definition) throw new Error(`there is no task definition for the group ${group}`);
      if (definition.spot) return launchOnSpot(definition, request);
      return runTask(definition, { count, clientToken, launchType: 'FARGATE' }, group);
    },
    /** Tasks outlive their manager; only calls in flight end. */
    async close() {
      stopping.abort();
      await aws.reset();
    },
  };
}

/** Whether a task starts or runs. */
export const exists = ({ lastStatus = '' }: AwsTask) => !gone.has(lastStatus);

const taskOf = ({ taskArn, lastStatus = '', startedAt }: AwsTask, group: string): Task[] =>
  taskArn ? [{ arn: taskArn, group, lastStatus, startedAt }] : [];

const toldOf = ({ reason = 'no reason given', detail, arn }: Failure) => ({ reason, detail: detail ?? arn });

/** Whether it is Spot that has nothing to give, or that the cluster does not know. */
const lacksCapacity = (text: string) => /capacity|RESOURCE:/i.test(text);
