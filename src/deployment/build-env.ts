import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { Aws } from '../aws/clients.js';
import { callAws } from '../aws/errors.js';
import { parseSecretReference, toSecretValue } from '../aws/secret-arn.js';
import { SecretReader } from '../aws/secrets-manager.js';
import { SetupError, toMessage } from '../contract/errors.js';
import { formatVariable } from '../environment/env-format.js';
import { capacityManagerOutput } from './load.js';

export interface BuiltEnv {
  text: string;
  /** Names of the variables that could not be had: commented out in the text. */
  missing: string[];
}

export interface BuildEnvOptions {
  aws: Pick<Aws, 'cloudFormation' | 'ecs' | 'secretsManager'>;
  stackName: string;
  /** Told each step; never a value. */
  tell(level: 'INFO' | 'WARN', message: string): void;
}

/** A variable with its value, or the reason why it has none. */
interface Resolved {
  name: string;
  value?: string;
  reason?: string;
}

/** The environment of a deployment's capacity manager as an .env file: stack, output, task definition, secrets. */
export async function buildEnv({ aws, stackName, tell }: BuildEnvOptions): Promise<BuiltEnv> {
  const output = await readOutput(aws, stackName, tell);
  const container = await readContainer(aws, output);
  const { environment = [], secrets = [] } = container;
  tell('INFO', `Found container ${container.name}: ${environment.length} variables, ${secrets.length} secrets`);

  const secretReader = new SecretReader(aws);
  const resolved: Resolved[] = await Promise.all([
    ...environment.map(async ({ name = '', value = '' }) => ({ name, value })),
    ...secrets.map(async ({ name = '', valueFrom = '' }) => {
      try {
        const reference = parseSecretReference(valueFrom);
        return { name, value: toSecretValue(await secretReader.read(reference), reference.jsonKey) };
      } catch (error) {
        return { name, reason: toMessage(error) };
      }
    }),
  ]);

  const lines = [`# The environment of the capacity manager of the stack ${stackName}, from ${output}\n`];
  const missing: string[] = [];
  for (const { name, value, reason = 'no quotes of an .env file hold its value' } of resolved) {
    const line = value === undefined ? undefined : formatVariable(name, value);
    if (line !== undefined) {
      lines.push(line);
      continue;
    }
    missing.push(name);
    tell('WARN', `${name} is left out: ${reason}`);
    lines.push(`# ${name}= (left out: ${reason.replace(/\s+/g, ' ')})\n`);
  }
  return { text: lines.join(''), missing };
}

/** The ARN that the stack's output names. */
async function readOutput(
  aws: BuildEnvOptions['aws'],
  stackName: string,
  tell: BuildEnvOptions['tell'],
): Promise<string> {
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const resource = `stack ${stackName}`;
  const { Stacks = [] } = await callAws({ action: 'cloudformation:DescribeStacks', resource }, async () =>
    (await aws.cloudFormation()).send(new DescribeStacksCommand({ StackName: stackName })),
  );
  const [stack] = Stacks;
  if (!stack) throw new SetupError(`There is no stack ${stackName}`, { hint: 'Check its name and AWS_REGION.' });
  tell('INFO', `Found stack ${stackName} (${stack.StackStatus})`);
  const key = capacityManagerOutput(stackName);
  const value = stack.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
  if (!value) {
    const there = (stack.Outputs ?? []).flatMap(({ OutputKey }) => OutputKey ?? []).join(', ') || 'none';
    throw new SetupError(`The stack ${stackName} has no output ${key}; it has: ${there}`, {
      hint: 'Deploy this version of the stack first, or name another stack.',
    });
  }
  tell('INFO', `Found output ${key}: ${value}`);
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
