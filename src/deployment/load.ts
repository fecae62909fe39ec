import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { SetupError } from '../contract/errors.js';
import { type Deployment, deploymentSchema } from './schema.js';

/** For those who may not import the contract. */
export const isSetupError = (error: unknown): error is SetupError => error instanceof SetupError;

export type { AutoScaling, Deployment, WorkerConfig } from './schema.js';

/** The stack's name as outputs carry it: lower case, letters and digits alone, `n` in front of a digit. */
export function stackSlug(stackName: string): string {
  const slug = stackName.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return /^\d/.test(slug) ? `n${slug}` : slug;
}

/** The stack's output that holds the ARN of the capacity manager's task definition. */
export const capacityManagerOutput = (stackName: string) => `${stackSlug(stackName)}capacityManagerTaskDfn`;

/**
 * Reads `<folder>/<name>.json` (`name` is CONFIG_FILE_NAME, with or without `.json`). Throws a SetupError that names
 * every problem by its path, or the configurations that there are when this one is not.
 */
export async function loadDeployment(name: string | undefined, folder = 'configs'): Promise<Deployment> {
  const file = name?.replace(/\.json$/, '');
  if (!file) {
    throw new SetupError('CONFIG_FILE_NAME is not set: it names the deployment configuration', {
      hint: await whatThereIs(folder),
    });
  }
  if (path.basename(file) !== file || file === '..') {
    throw new SetupError(`CONFIG_FILE_NAME is ${name}: expected the name of a file in ${folder}, without a folder`, {
      hint: await whatThereIs(folder),
    });
  }
  const shown = path.join(folder, `${file}.json`);
  let text: string;
  try {
    text = await readFile(shown, 'utf8');
  } catch (cause) {
    const missing = typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ENOENT';
    const problem = missing ? 'there is no such configuration' : 'the file cannot be read';
    throw new SetupError(`${shown}: ${problem}`, { cause, hint: await whatThereIs(folder) });
  }
  return parseDeployment(text, shown);
}

/** The deployment that a file's text describes; `shown` names the file in the error. */
export function parseDeployment(text: string, shown: string): Deployment {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new SetupError(`${shown}: expected JSON: ${cause instanceof Error ? cause.message : 'not readable'}`, {
      cause,
      hint: 'Correct the file.',
    });
  }
  const parsed = deploymentSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(describe).map((problem) => `  ${problem}`);
  throw new SetupError(`${shown} is not usable:\n${problems.join('\n')}`, {
    hint: 'Correct these fields; docs/configuration.md says what each is for, and configs/sample.json is a whole one.',
  });
}

/** `jobSystem.workers.0.scaling.max: expected number, received undefined`, without the values, some of which are private. */
function describe(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: expected no such field`);
  }
  const message =
    issue.code === 'invalid_key'
      ? (issue.issues[0]?.message ?? issue.message)
      : issue.message.replace(/^[A-Z][a-z]+ [a-z]+: /, '').replace('received undefined', 'which is missing');
  return [`${issue.path.join('.') || 'the file'}: ${message}`];
}

async function whatThereIs(folder: string): Promise<string> {
  const names = (await readdir(folder).catch(() => []))
    .filter((file) => file.endsWith('.json'))
    .map((file) => path.basename(file, '.json'))
    .sort();
  if (names.length === 0) return `There is no configuration in ${folder}: write one after docs/configuration.md.`;
  return `Set CONFIG_FILE_NAME to one of: ${names.join(', ')}.`;
}
