import type { ContainerDefinition, Secret } from '@aws-sdk/client-ecs';
import type { Aws } from '../aws/clients.js';
import { callAws } from '../aws/errors.js';
import { parseSecretReference, toSecretValue } from '../aws/secret-arn.js';
import { SecretReader } from '../aws/secrets-manager.js';
import { SetupError, toMessage } from '../contract/errors.js';
import { formatVariable } from '../environment/env-format.js';
import { capacityManagerOutput } from './load.js';

export interface BuiltEnv {
  text: string;
  /** Names of variables without a value, which are commented out in the text. */
  missing: string[];
}

export interface BuildEnvOptions {
  aws: Pick<Aws, 'cloudFormation' | 'ecs' | 'secretsManager'>;
  stackName: string;
  /** Receives a line for each step, and never a value. */
  report(level: 'INFO' | 'WARN', message: string): void;
}

/** A variable with a value, or with the reason for having none. */
interface ResolvedVariable {
  name: string;
  value?: string;
  reason?: string;
}

/** Builds an .env file for a deployment's capacity manager from the stack's output, task definition and secrets. */
export async function buildEnv(options: BuildEnvOptions): Promise<BuiltEnv> {
  const { aws, stackName, report } = options;
  const taskDefinition = await readTaskDefinitionArn(options);
  const { name: container, environment = [], secrets = [] } = await readContainer(aws, taskDefinition);
  report('INFO', `Found container ${container}: ${environment.length} variables, ${secrets.length} secrets`);

  const variables: ResolvedVariable[] = [
    ...environment.map(({ name = '', value = '' }) => ({ name, value })),
    ...(await resolveSecrets(aws, secrets)),
  ];
  const lines = [`# Environment of the capacity manager of stack ${stackName}, from ${taskDefinition}\n`];
  const missing: string[] = [];
  for (const { name, value, reason = 'no quotes of an .env file can enclose the value' } of variables) {
    const line = value === undefined ? undefined : formatVariable(name, value);
    if (line === undefined) {
      missing.push(name);
      report('WARN', `${name} is left out: ${reason}`);
    }
    lines.push(line ?? `# ${name}= (left out: ${reason.replace(/\s+/g, ' ')})\n`);
  }
  return { text: lines.join(''), missing };
}

function resolveSecrets(aws: BuildEnvOptions['aws'], secrets: readonly Secret[]): Promise<ResolvedVariable[]> {
  const secretReader = new SecretReader(aws);
  return Promise.all(
    secrets.map(async ({ name = '', valueFrom = '' }) => {
      try {
        const reference = parseSecretReference(valueFrom);
        return { name, value: toSecretValue(await secretReader.read(reference), reference.jsonKey) };
      } catch (error) {
        return { name, reason: toMessage(error) };
      }
    }),
  );
}

/** Reads the ARN of the manager's task definition from the stack's output. */
async function readTaskDefinitionArn({ aws, stackName, report }: BuildEnvOptions): Promise<string> {
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const resource = `stack ${stackName}`;
  const { Stacks } = await callAws({ action: 'cloudformation:DescribeStacks', resource }, async () =>
    (await aws.cloudFormation()).send(new DescribeStacksCommand({ StackName: stackName })),
  );
  const stack = Stacks?.[0];
  if (!stack) throw new SetupError(`No stack ${stackName}`, { hint: 'Check the name of the stack and AWS_REGION.' });
  report('INFO', `Found stack ${stackName} (${stack.StackStatus})`);
  const key = capacityManagerOutput(stackName);
  const value = stack.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
  if (!value) {
    const outputs = (stack.Outputs ?? []).flatMap(({ OutputKey }) => OutputKey ?? []).join(', ') || 'none';
    throw new SetupError(`The stack ${stackName} has no output ${key}. Its outputs: ${outputs}`, {
      hint: 'Deploy this version of the stack first, or choose another stack.',
    });
  }
  report('INFO', `Found output ${key}: ${value}`);
  return value;
}

async function readContainer(aws: BuildEnvOptions['aws'], taskDefinition: string): Promise<ContainerDefinition> {
  const { DescribeTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
  const resource = `task definition ${taskDefinition}`;
  const answer = await callAws({ action: 'ecs:DescribeTaskDefinition', resource }, async () =>
    (await aws.ecs()).send(new DescribeTaskDefinitionCommand({ taskDefinition })),
  );
  const containers = answer.taskDefinition?.containerDefinitions ?? [];
  const container = containers.find(({ essential }) => essential !== false) ?? containers[0];
  if (!container) throw new SetupError(`The task definition ${taskDefinition} has no container`);
  return container;
}
