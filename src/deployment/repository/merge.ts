import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Issue, SetupError } from '../../contract/errors.js';
import { parseRepositoryAddress } from './address.js';
import { applyWrites } from './apply.js';
import { listTrackedFiles, withClone } from './clone.js';
import { inspectTarget, listDirectories, readSources } from './files.js';
import { rememberedFile, substituteFile } from './paths.js';
import { mergeSources, type PlannedFile, planWrites, type TargetState } from './plan.js';
import { chooseSource, planRememberedWrite, type Remembered, readRemembered, type Source } from './remembered.js';
import { restoreInterrupted } from './restore.js';
import { replaceVariables, separateVariables } from './substitute.js';

export interface MergeRequest {
  namespace: string;
  stage: string;
  target?: string | undefined;
  repoDir?: string | undefined;
  branch?: string | undefined;
  force: boolean;
  dryRun: boolean;
}

export interface MergeContext {
  /** The working tree. */
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
  /** Receives a line about the progress. */
  report(line: string): void;
}

export interface MergedConfiguration {
  /** Address without credentials. */
  repository: string;
  namespace: string;
  stage: string;
  files: PlannedFile[];
}

/** An error with a list of issues, for example files that git tracks. */
class ConfigurationError extends SetupError {
  constructor(
    message: string,
    readonly issues: Issue[],
    hint: string,
  ) {
    super(message, { hint });
  }
}

/** Merges base and a stage into the working tree, all files or none, and remembers the repository in env.json. */
export async function mergeConfiguration(request: MergeRequest, context: MergeContext): Promise<MergedConfiguration> {
  const root = await realpath(context.cwd);
  if (await restoreInterrupted(root, request)) context.report('Restored the files of an interrupted run');
  const remembered = await readRemembered(root);
  const source = chooseSource(request, remembered);
  const { branch } = request;
  if (branch !== undefined && !/^[^-\p{Cc}\s][^\p{Cc}\s]*$/u.test(branch)) {
    throw new SetupError('Invalid branch: expected a name without spaces that begins with no dash', {
      hint: 'Choose a branch with --branch.',
    });
  }
  const merge = (directory: string, repository: string) =>
    mergeDirectory({ root, directory, repository, source, remembered }, request, context);
  if (source.kind === 'directory') {
    const directory = path.resolve(root, source.directory);
    if (!(await stat(directory).catch(() => undefined))?.isDirectory()) {
      throw new SetupError(`No directory ${source.directory}`, { hint: 'Choose another with --repo-dir.' });
    }
    context.report(`Reading ${source.directory}`);
    return merge(directory, source.directory);
  }
  const address = parseRepositoryAddress(source.target, root);
  context.report(`Cloning ${address.shown}`);
  const { env, signal } = context;
  return withClone(address, { branch, env, signal }, (directory) => merge(directory, address.shown));
}

/** The paths of a merge: working tree, directory of the repository, and the repository's address for output. */
interface MergePaths {
  root: string;
  directory: string;
  repository: string;
  source: Source;
  remembered: Remembered;
}

async function mergeDirectory(paths: MergePaths, request: MergeRequest, { env, signal }: MergeContext) {
  const { root, directory, repository, source, remembered } = paths;
  const { namespace, stage, force, dryRun } = request;
  const files = await readStage(directory, repository, request, env);
  const targets = new Map<string, TargetState>();
  for (const file of files) targets.set(file.path, await inspectTarget(root, file.path));
  const tracked = force ? new Set<string>() : await listTrackedFiles(root, { env, signal });
  const plan = planWrites(files, targets, { tracked, force });
  const remember = await planRememberedWrite(root, remembered, source, repository);
  const overwritten = [...plan.tracked, ...(remember && tracked.has(rememberedFile) ? [rememberedFile] : [])];
  throwIssues('Cannot merge these files', plan.refused, 'Nothing was written. Move the existing files away.');
  throwIssues(
    'The merge would overwrite files that git tracks here',
    overwritten.map((file) => ({ path: file, message: 'tracked' })),
    'Nothing was written. Overwrite the files with --force.',
  );
  if (!dryRun) await applyWrites(root, [...plan.writes, ...(remember ? [remember] : [])], { signal });
  return { repository, namespace, stage, files: plan.files };
}

/** Reads base and the stage, merged and with variables replaced. Throws for a file that must not be copied. */
async function readStage(directory: string, repository: string, request: MergeRequest, env: MergeContext['env']) {
  const { namespace, stage } = request;
  const namespaces = await listDirectories(directory);
  if (!namespaces.includes(namespace)) throw toMissingError('namespace', namespace, repository, namespaces);
  const directories = await listDirectories(path.join(directory, namespace));
  const stages = directories.filter((name) => name !== 'base');
  if (!stages.includes(stage)) throw toMissingError('stage', stage, `the namespace ${namespace}`, stages);
  const read = (name: string) => readSources(path.join(directory, namespace, name));
  const base = directories.includes('base') ? await read('base') : [];
  if (base.some((file) => file.path === substituteFile)) {
    throw new SetupError(`${namespace}/base/${substituteFile} has no effect: variables belong to a stage`, {
      hint: 'Move the file into the stages that need it.',
    });
  }
  const { files: listed, variables } = separateVariables(await read(stage), `${namespace}/${stage}/${substituteFile}`);
  const { files, refused } = mergeSources(base, listed);
  throwIssues(
    'Cannot merge files of the repository',
    refused.map((issue) => ({ ...issue, path: `${namespace}/${issue.path.replace(/^stage\//, `${stage}/`)}` })),
    'Nothing was written.',
  );
  const { files: replaced, missing } = replaceVariables(listed, variables, env);
  throwIssues(
    'Variables of the stage are not set',
    missing.map((issue) => ({ ...issue, path: `${namespace}/${stage}/${issue.path}` })),
    'Nothing was written. Set the variables, or add defaults to the files.',
  );
  return variables.size === 0 ? files : mergeSources(base, replaced).files;
}

const maxIssues = 20;

/** Throws an error that lists the first issues, if any. */
function throwIssues(message: string, issues: Issue[], hint: string): void {
  if (issues.length === 0) return;
  const count = issues.length > maxIssues ? ` (first ${maxIssues} of ${issues.length})` : '';
  throw new ConfigurationError(`${message}${count}:`, issues.slice(0, maxIssues), hint);
}

function toMissingError(kind: 'namespace' | 'stage', name: string, parent: string, existing: string[]): SetupError {
  const hint = existing.length === 0 ? `There is no ${kind}.` : `Choose one of: ${existing.join(', ')}.`;
  return new SetupError(`No ${kind} ${name} in ${parent}`, { hint });
}
