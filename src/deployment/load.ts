import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { SetupError, toMessage } from '../contract/errors.js';
import { toExpectation } from '../environment/variables.js';
import { errorCode } from '../platform/system-errors.js';
import { type Deployment, deploymentSchema } from './schema.js';

/** Returns a stack's name as a prefix of outputs, for example `2nd-Stack` → `n2ndstack`. */
export function stackSlug(stackName: string): string {
  const slug = stackName.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return /^\d/.test(slug) ? `n${slug}` : slug;
}

/** Returns the name of the output with the ARN of the capacity manager's task definition. */
export const capacityManagerOutput = (stackName: string) => `${stackSlug(stackName)}capacityManagerTaskDfn`;

/**
 * Reads `<directory>/<name>.json`, where `name` is CONFIG_FILE_NAME with or without `.json`. Throws a SetupError with the
 * path of every problem, or with the existing names when the file is missing.
 */
export async function loadDeployment(name: string | undefined, directory = 'configs'): Promise<Deployment> {
  const file = name?.replace(/\.json$/, '');
  const toError = async (message: string, cause?: unknown) =>
    new SetupError(message, { cause, hint: await listConfigurations(directory) });
  if (!file) throw await toError('CONFIG_FILE_NAME is not set: expected the name of a deployment configuration');
  if (path.basename(file) !== file || file === '..') {
    throw await toError(`Invalid CONFIG_FILE_NAME "${name}": expected the name of a file in ${directory}`);
  }
  const shown = path.join(directory, `${file}.json`);
  const text = await readFile(shown, 'utf8').catch(async (cause: unknown) => {
    const problem = errorCode(cause) === 'ENOENT' ? 'No such configuration' : 'Cannot read configuration';
    throw await toError(`${problem}: ${shown}`, cause);
  });
  return parseDeployment(text, shown);
}

/** Parses the text of a configuration. `shown` is the file's name in errors. */
export function parseDeployment(text: string, shown: string): Deployment {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    const problem = `Invalid configuration ${shown}: expected JSON: ${toMessage(cause)}`;
    throw new SetupError(problem, { cause, hint: 'Correct the file.' });
  }
  const parsed = deploymentSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(toProblems).map((problem) => `  ${problem}`);
  throw new SetupError(`Invalid configuration ${shown}:\n${problems.join('\n')}`, {
    hint: 'Correct these fields. docs/configuration.md explains each one, and configs/sample.json is a complete example.',
  });
}

/** Returns problems, never values, e.g. `jobSystem.workers.0.scaling.max: expected number, which is missing`. */
function toProblems(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: expected no such field`);
  }
  const message =
    issue.code === 'invalid_key'
      ? (issue.issues[0]?.message ?? issue.message)
      : toExpectation(issue.message).replace('received undefined', 'which is missing');
  return [`${issue.path.join('.') || 'the file'}: ${message}`];
}

async function listConfigurations(directory: string): Promise<string> {
  const names = (await readdir(directory).catch(() => []))
    .filter((file) => file.endsWith('.json'))
    .map((file) => path.basename(file, '.json'))
    .sort();
  if (names.length === 0) return `Write a configuration into ${directory}, as docs/configuration.md explains.`;
  return `Set CONFIG_FILE_NAME to one of: ${names.join(', ')}.`;
}
