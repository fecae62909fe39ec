import { createHash } from 'node:crypto';
import type { RegisterTaskDefinitionCommandInput, RuntimePlatform, TaskDefinition } from '@aws-sdk/client-ecs';
import type { AwsCaller } from '../../../aws/caller.js';
import type { Aws } from '../../../aws/clients.js';
import { AwsError } from '../../../aws/errors.js';
import { toTaskFamily } from '../../../compute/ecs/task-definition.js';
import { SetupError } from '../../../contract/errors.js';
import { gitScript } from '../checkout-script.js';
import type { CommandImage } from '../runner.js';

/** Where commands run on ECS, and as whom. */
export interface EcsCommandSettings {
  /** ARN or name. */
  cluster: string;
  securityGroup: string;
  subnets: readonly string[];
  logGroup: string;
  region: string;
  /** Of images that name no role of their own. */
  executionRoleArn?: string | undefined;
  taskRoleArn?: string | undefined;
  /** Begins the names of all task definitions. */
  familyPrefix: string;
  /** An image with `sh` and git 2.31 or later, which makes the checkouts. */
  gitImage: string;
}

/** The folder that the containers of a task share; a checkout is `repo` in it. */
export const workspace = '/workspace';
/** Its streams are `execution/<container>/<task id>`. */
export const streamPrefix = 'execution';
const platforms = new Map<string, RuntimePlatform>([
  ['Linux/X86_64', { operatingSystemFamily: 'LINUX', cpuArchitecture: 'X86_64' }],
  ['Linux/ARM64', { operatingSystemFamily: 'LINUX', cpuArchitecture: 'ARM64' }],
]);
const longestFamily = 255;
/** Throttling sets in at some dozens of calls at once. */
const askedAtOnce = 5;

/** The family of an image: readable, and no other image's, whatever their references have in common. */
export function familyOfImage(prefix: string, image: string): string {
  const hash = createHash('sha256').update(image).digest('hex').slice(0, 12);
  const slug = image.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, longestFamily - prefix.length - hash.length - 2);
  return `${prefix}-${slug}-${hash}`;
}

/**
 * What tasks of an image are: a container that makes the checkout, where there is one to make, and after it the image itself.
 * Both run as whom their image says, so the workspace is for everybody.
 */
export function definitionOf(image: CommandImage, settings: EcsCommandSettings): RegisterTaskDefinitionCommandInput {
  const runtimePlatform = platforms.get(image.runtimePlatform);
  if (!runtimePlatform) {
    const known = [...platforms.keys()].join(' and ');
    throw new SetupError(`ECS does not run images for ${image.runtimePlatform}`, { hint: `There are ${known}.` });
  }
  const shared = {
    // No limit: each may take what the task has. Stand-ins of ECS want something said.
    memoryReservation: 64,
    mountPoints: [{ sourceVolume: 'workspace', containerPath: workspace }],
    logConfiguration: {
      logDriver: 'awslogs' as const,
      options: {
        'awslogs-group': settings.logGroup,
        'awslogs-region': settings.region,
        'awslogs-stream-prefix': streamPrefix,
        // Rather wait than lose lines, which is what an account may have as its default.
        mode: 'blocking',
      },
    },
  };
  return {
    family: familyOfImage(settings.familyPrefix, image.image),
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: String(image.cpu),
    memory: String(image.memory),
    runtimePlatform,
    taskRoleArn: roleArn(image.taskRoleName, settings) ?? settings.taskRoleArn,
    executionRoleArn: roleArn(image.taskExecutionRoleName, settings) ?? settings.executionRoleArn,
    volumes: [{ name: 'workspace' }],
    containerDefinitions: [
      {
        ...shared,
        name: 'git',
        image: settings.gitImage,
        essential: false,
        entryPoint: ['sh', '-c'],
        command: [`chmod 777 "$CHECKOUT_FOLDER"\n${gitScript}`],
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
    ],
  };
}

/** The role of a name in the account of the deployment, which its ARNs name. */
function roleArn(name: string | undefined, settings: EcsCommandSettings): string | undefined {
  if (name === undefined) return undefined;
  const arns = [settings.executionRoleArn, settings.taskRoleArn, settings.cluster];
  for (const arn of arns) {
    const [, partition, account] = /^arn:([\w-]+):\w+:[\w-]*:(\d{12}):/.exec(arn ?? '') ?? [];
    if (partition && account) return `arn:${partition}:iam::${account}:role/${name}`;
  }
  throw new SetupError(`It is not known which account the role ${name} belongs to`, {
    hint: 'Set EXECUTION_ROLE_ARN, or EXECUTION_CLUSTER as an ARN.',
  });
}

/** Whether `found` has all that `wanted` says; AWS adds fields of its own. A field that is wanted unset is unset. */
export function hasAll(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(found) || found.length !== wanted.length) return false;
    return wanted.every((one, index) => hasAll(found[index], one));
  }
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([name, value]) => hasAll(Reflect.get(found, name), value));
}

/** AWS has one name for many errors of a caller; this one is about a definition that is not there. */
const isUnknown = (error: unknown) =>
  error instanceof AwsError &&
  error.code === 'ClientException' &&
  /unable to describe task definition|does not exist|not found/i.test(error.message);

/** Task definitions, a family an image. */
export function ecsCommandDefinitions(
  { aws, settings, call, abortSignal }: DefinitionsOptions,
  registered: (taskDefinition: string) => void,
) {
  /** Of a family: its latest revision that is in use. */
  const describe = async (taskDefinition: string): Promise<TaskDefinition | undefined> => {
    const { DescribeTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
    const command = new DescribeTaskDefinitionCommand({ taskDefinition });
    try {
      const answer = await call('ecs:DescribeTaskDefinition', `task definition ${taskDefinition}`, async () =>
        (await aws.ecs()).send(command, { abortSignal }),
      );
      return answer.taskDefinition?.status === 'ACTIVE' ? answer.taskDefinition : undefined;
    } catch (error) {
      if (isUnknown(error)) return undefined;
      throw error;
    }
  };

  const revisionsOf = async (family: string): Promise<string[]> => {
    const { paginateListTaskDefinitions } = await import('@aws-sdk/client-ecs');
    return call('ecs:ListTaskDefinitions', `family ${family}`, async () => {
      const arns: string[] = [];
      const asked = { familyPrefix: family, status: 'ACTIVE' as const };
      const pages = paginateListTaskDefinitions({ client: await aws.ecs() }, asked, { abortSignal });
      for await (const { taskDefinitionArns = [] } of pages) arns.push(...taskDefinitionArns);
      return arns;
    });
  };

  return {
    /** An equal definition is used again: registering an image twice makes no second revision. */
    async define(image: CommandImage): Promise<string> {
      const wanted = definitionOf(image, settings);
      const resource = `task definition ${wanted.family}`;
      const latest = await describe(wanted.family ?? '');
      if (latest?.taskDefinitionArn && hasAll(latest, wanted)) return latest.taskDefinitionArn;
      const { RegisterTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
      const { taskDefinition } = await call('ecs:RegisterTaskDefinition', resource, async () =>
        (await aws.ecs()).send(new RegisterTaskDefinitionCommand(wanted), { abortSignal }),
      );
      if (!taskDefinition?.taskDefinitionArn) throw new SetupError(`ecs:RegisterTaskDefinition gave no ${resource}`);
      registered(taskDefinition.taskDefinitionArn);
      return taskDefinition.taskDefinitionArn;
    },
    async defined(taskDefinitions: readonly string[]): Promise<ReadonlySet<string>> {
      const found = new Set<string>();
      const left = [...new Set(taskDefinitions)];
      const ask = async () => {
        for (let one = left.pop(); one !== undefined; one = left.pop()) if (await describe(one)) found.add(one);
      };
      await Promise.all(Array.from({ length: askedAtOnce }, ask));
      return found;
    },
    async undefine(taskDefinition: string): Promise<void> {
      const { DeregisterTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
      for (const revision of await revisionsOf(toTaskFamily(taskDefinition))) {
        try {
          await call('ecs:DeregisterTaskDefinition', `task definition ${revision}`, async () =>
            (await aws.ecs()).send(new DeregisterTaskDefinitionCommand({ taskDefinition: revision }), { abortSignal }),
          );
        } catch (error) {
          if (!isUnknown(error)) throw error;
        }
      }
    },
  };
}

interface DefinitionsOptions {
  aws: Pick<Aws, 'ecs'>;
  settings: EcsCommandSettings;
  call: AwsCaller;
  abortSignal: AbortSignal;
}
