import type { Task as EcsTask, Failure } from '@aws-sdk/client-ecs';
import type { Logger } from 'pino';
import type { Aws } from '../../aws/clients.js';
import { EcsTasks, startsOrRuns } from '../../aws/ecs-tasks.js';
import type { Compute, LaunchRequest, LaunchResult, Task } from '../provider.js';
import { SpotLauncher, type TaskLaunch } from './spot.js';
import { createPublicSubnets } from './subnets.js';
import { type EcsTaskDefinition, toTaskFamily } from './task-definition.js';

export interface EcsComputeOptions {
  aws: Pick<Aws, 'ecs' | 'ec2' | 'reset'>;
  definitions: readonly EcsTaskDefinition[];
  vpcId: string;
  log: Logger;
  /** Timeout of one RunTask; shorter than the lease of a capacity manager, because no launch may outlive the lease. */
  launchTimeoutMs?: number;
  now(): number;
}

const startedBy = 'reefguide-capacity';

/** Workers as tasks of AWS ECS on Fargate. Each failure is an AwsError with action and remedy. */
export class EcsCompute implements Compute {
  readonly provider = 'ecs';
  readonly listsAtOnce = false;
  private readonly definitions: ReadonlyMap<string, EcsTaskDefinition>;
  private readonly stopping = new AbortController();
  private readonly tasks: EcsTasks;
  private readonly subnets: () => Promise<string[]>;
  private readonly spot: SpotLauncher;

  constructor(private readonly options: EcsComputeOptions) {
    const { aws, definitions, vpcId, log, now } = options;
    this.definitions = new Map(definitions.map((definition) => [definition.group, definition]));
    this.tasks = new EcsTasks(aws, this.stopping.signal);
    this.subnets = createPublicSubnets(aws, vpcId, now);
    this.spot = new SpotLauncher(log);
  }

  /** Lists each cluster once, because one call lists up to 100 tasks of any groups. */
  async list(groups: readonly string[]): Promise<Task[]> {
    const definitions = groups.flatMap((group) => this.definitions.get(group) ?? []);
    const clusters = [...new Set(definitions.map(({ cluster }) => cluster))];
    const lists = clusters.map(async (cluster) => {
      const inCluster = definitions.filter((definition) => definition.cluster === cluster);
      const groupByFamily = new Map(inCluster.map(({ family, group }) => [family, group]));
      return (await this.tasks.list(cluster)).filter(startsOrRuns).flatMap((task) => {
        const group = groupByFamily.get(toTaskFamily(task.taskDefinitionArn ?? ''));
        return group === undefined ? [] : toTask(task, group);
      });
    });
    return (await Promise.all(lists)).flat();
  }

  async launch(request: LaunchRequest): Promise<LaunchResult> {
    const { group, count, clientToken } = request;
    const definition = this.definitions.get(group);
    if (!definition) throw new Error(`No task definition for the group ${group}`);
    if (definition.spot) return this.spot.launch(request, (launch) => this.runTask(definition, launch));
    return this.runTask(definition, { count, clientToken, launchType: 'FARGATE' });
  }

  private async runTask(definition: EcsTaskDefinition, launch: TaskLaunch): Promise<LaunchResult> {
    const { group, family, taskDefinition, cluster, securityGroup } = definition;
    const subnets = await this.subnets();
    const awsvpcConfiguration = { subnets, securityGroups: [securityGroup], assignPublicIp: 'ENABLED' as const };
    const { tasks, failures, hadRun } = await this.tasks.run(
      { cluster, taskDefinition, startedBy, networkConfiguration: { awsvpcConfiguration }, ...launch },
      AbortSignal.timeout(this.options.launchTimeoutMs ?? 15_000),
    );
    if (hadRun) {
      const taskArns = tasks.map(({ taskArn }) => taskArn);
      this.options.log.info({ family, taskArns }, 'the launch had happened already');
    }
    const started = tasks.filter(startsOrRuns).flatMap((task) => toTask(task, group));
    return { started, failures: failures.map(toLaunchFailure) };
  }

  /** Ends calls in flight, but no tasks. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.options.aws.reset();
  }
}

const toTask = ({ taskArn, lastStatus = '', startedAt }: EcsTask, group: string): Task[] =>
  taskArn ? [{ arn: taskArn, group, lastStatus, startedAt }] : [];

const toLaunchFailure = ({ reason = 'no reason given', detail, arn }: Failure) => ({ reason, detail: detail ?? arn });
