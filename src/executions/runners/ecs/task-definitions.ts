import { createHash } from 'node:crypto';
import type {
  ContainerDefinition,
  ECSClient,
  RegisterTaskDefinitionCommandInput,
  RuntimePlatform,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { Aws } from '../../../aws/clients.js';
import { type AwsCaller, AwsError } from '../../../aws/errors.js';
import { toTaskFamily } from '../../../compute/ecs/task-definition.js';
import { SetupError } from '../../../contract/errors.js';
import { checkoutScript } from '../checkout-script.js';
import type { CommandImage } from '../runner.js';

export interface EcsCommandSettings {
  /** ARN or name. */
  cluster: string;
  securityGroup: string;
  subnets: readonly string[];
  logGroup: string;
  region: string;
  /** Roles of images without roles. */
  executionRoleArn?: string | undefined;
  taskRoleArn?: string | undefined;
  /** Begins the names of all task definitions. */
  familyPrefix: string;
  /** Image with `sh` and git 2.31 or later, for checkouts. */
  gitImage: string;
}

/** Directory shared by the containers of a task, with the checkout in `/workspace/repo`. */
export const workspace = '/workspace';
/** Prefix of log streams: `execution/<container>/<task id>`. */
export const streamPrefix = 'execution';
const platforms = new Map<string, RuntimePlatform>([
  ['Linux/X86_64', { operatingSystemFamily: 'LINUX', cpuArchitecture: 'X86_64' }],
  ['Linux/ARM64', { operatingSystemFamily: 'LINUX', cpuArchitecture: 'ARM64' }],
]);
const maxFamilyCharacters = 255;
/** Stays far below some dozens of concurrent calls, which AWS throttles. */
const maxConcurrentCalls = 5;

/** Returns a readable family, unique to the image: `reef`, `alpine:3.22` → `reef-alpine-3-22-` and 12 hash digits. */
export function toImageFamily(prefix: string, image: string): string {
  const hash = createHash('sha256').update(image).digest('hex').slice(0, 12);
  const maxSlugCharacters = maxFamilyCharacters - prefix.length - hash.length - 2;
  const slug = image.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, maxSlugCharacters);
  return `${prefix}-${slug}-${hash}`;
}

/** Returns the definition of an image's tasks: a container for the checkout, if any, and then the image itself. */
export function toTaskDefinition(image: CommandImage, settings: EcsCommandSettings) {
  return {
    family: toImageFamily(settings.familyPrefix, image.image),
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: String(image.cpu),
    memory: String(image.memory),
    runtimePlatform: toRuntimePlatform(image.runtime_platform),
    taskRoleArn: toRoleArn(image.task_role_name, settings) ?? settings.taskRoleArn,
    executionRoleArn: toRoleArn(image.task_execution_role_name, settings) ?? settings.executionRoleArn,
    volumes: [{ name: 'workspace' }],
    containerDefinitions: toContainers(image, settings),
  } satisfies RegisterTaskDefinitionCommandInput;
}

function toContainers(image: CommandImage, settings: EcsCommandSettings): ContainerDefinition[] {
  const shared: ContainerDefinition = {
    // Reserves little and limits nothing: each container may use all memory of the task.
    memoryReservation: 64,
    mountPoints: [{ sourceVolume: 'workspace', containerPath: workspace }],
    logConfiguration: {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': settings.logGroup,
        'awslogs-region': settings.region,
        'awslogs-stream-prefix': streamPrefix,
        // Waits rather than loses lines; the default of an account may be to lose lines.
        mode: 'blocking',
      },
    },
  };
  return [
    {
      ...shared,
      name: 'git',
      image: settings.gitImage,
      essential: false,
      entryPoint: ['sh', '-c'],
      // Every user may write to the workspace, because the containers run as the users of different images.
      command: [`chmod 777 "$CHECKOUT_FOLDER"\n${checkoutScript}`],
      environment: [{ name: 'CHECKOUT_FOLDER', value: workspace }],
    },
    {
      ...shared,
      name: 'main',
      image: image.image,
      essential: true,
      dependsOn: [{ containerName: 'git', condition: 'SUCCESS' }],
      entryPoint: ['/bin/sh', '-c'],
      stopTimeout: 10,
    },
  ];
}

function toRuntimePlatform(name: string): RuntimePlatform {
  const platform = platforms.get(name);
  if (platform) return platform;
  throw new SetupError(`Invalid platform ${name}: ECS runs images for ${[...platforms.keys()].join(' and ')}`, {
    hint: 'Register the image again with one of these platforms.',
  });
}

/** Returns the ARN of a role in the account of the deployment, as found in the ARNs of the settings. */
function toRoleArn(name: string | null, settings: EcsCommandSettings): string | undefined {
  if (name === null) return undefined;
  for (const arn of [settings.executionRoleArn, settings.taskRoleArn, settings.cluster]) {
    const [, partition, account] = /^arn:([\w-]+):\w+:[\w-]*:(\d{12}):/.exec(arn ?? '') ?? [];
    if (partition && account) return `arn:${partition}:iam::${account}:role/${name}`;
  }
  throw new SetupError(`Cannot tell which account the role ${name} belongs to`, {
    hint: 'Set EXECUTION_ROLE_ARN, or set EXECUTION_CLUSTER to an ARN.',
  });
}

/** Returns true when `actual` has all fields of `expected`, nested ones too; undefined means unset. AWS adds fields. */
export function includesAll(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false;
    return expected.every((item, index) => includesAll(actual[index], item));
  }
  if (typeof expected !== 'object' || expected === null) return actual === expected;
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(expected).every(([name, value]) => includesAll(Reflect.get(actual, name), value));
}

/** Recognises the error of an unknown definition by its message, because AWS has one code for many errors. */
const isNotDefined = (error: unknown) =>
  error instanceof AwsError &&
  error.code === 'ClientException' &&
  /unable to describe task definition|does not exist|not found/i.test(error.message);

type HttpOptions = { abortSignal: AbortSignal };

interface TaskDefinitionsOptions {
  aws: Pick<Aws, 'ecs'>;
  settings: EcsCommandSettings;
  call: AwsCaller;
  signal: AbortSignal;
  log: Logger;
}

/** Task definitions of images in ECS, a family an image. */
export class TaskDefinitions {
  constructor(private readonly options: TaskDefinitionsOptions) {}

  /** Returns the ARN of an image's definition. Registers a revision only when the latest revision differs. */
  async define(image: CommandImage): Promise<string> {
    const definition = toTaskDefinition(image, this.options.settings);
    const latest = await this.describe(definition.family);
    if (latest?.taskDefinitionArn && includesAll(latest, definition)) return latest.taskDefinitionArn;
    const { RegisterTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
    const resource = `task definition ${definition.family}`;
    const { taskDefinition } = await this.call('ecs:RegisterTaskDefinition', resource, (client, options) =>
      client.send(new RegisterTaskDefinitionCommand(definition), options),
    );
    const arn = taskDefinition?.taskDefinitionArn;
    if (!arn) throw new SetupError(`ecs:RegisterTaskDefinition returned no ARN of ${resource}`);
    this.options.log.info({ taskDefinition: arn }, 'registered a task definition');
    return arn;
  }

  async filterDefined(taskDefinitions: readonly string[]): Promise<ReadonlySet<string>> {
    const defined = await pLimit(maxConcurrentCalls).map(new Set(taskDefinitions), async (taskDefinition) =>
      (await this.describe(taskDefinition)) ? [taskDefinition] : [],
    );
    return new Set(defined.flat());
  }

  /** Deregisters every revision of the definition's family. */
  async undefine(taskDefinition: string): Promise<void> {
    const { DeregisterTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
    for (const revision of await this.listRevisions(toTaskFamily(taskDefinition))) {
      const command = new DeregisterTaskDefinitionCommand({ taskDefinition: revision });
      try {
        await this.call('ecs:DeregisterTaskDefinition', `task definition ${revision}`, (client, options) =>
          client.send(command, options),
        );
      } catch (error) {
        if (!isNotDefined(error)) throw error;
      }
    }
  }

  /** Returns an active definition; for a family, the latest active revision. */
  private async describe(taskDefinition: string): Promise<TaskDefinition | undefined> {
    const { DescribeTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
    const command = new DescribeTaskDefinitionCommand({ taskDefinition });
    try {
      const resource = `task definition ${taskDefinition}`;
      const answer = await this.call('ecs:DescribeTaskDefinition', resource, (client, options) =>
        client.send(command, options),
      );
      return answer.taskDefinition?.status === 'ACTIVE' ? answer.taskDefinition : undefined;
    } catch (error) {
      if (isNotDefined(error)) return undefined;
      throw error;
    }
  }

  private async listRevisions(family: string): Promise<string[]> {
    const { paginateListTaskDefinitions } = await import('@aws-sdk/client-ecs');
    return this.call('ecs:ListTaskDefinitions', `family ${family}`, async (client, options) => {
      const arns: string[] = [];
      const pages = paginateListTaskDefinitions({ client }, { familyPrefix: family, status: 'ACTIVE' }, options);
      for await (const { taskDefinitionArns = [] } of pages) arns.push(...taskDefinitionArns);
      return arns;
    });
  }

  private call<T>(action: string, resource: string, act: (client: ECSClient, options: HttpOptions) => Promise<T>) {
    const { aws, call, signal } = this.options;
    return call(action, resource, async () => act(await aws.ecs(), { abortSignal: signal }));
  }
}
