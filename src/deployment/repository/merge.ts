import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Issue, SetupError } from '../../contract/errors.js';
import { repositoryAddress } from './address.js';
import { applyWrites } from './apply.js';
import { trackedFiles, withClone } from './clone.js';
import { folderNames, inspect, readSources } from './files.js';
import { restoreInterrupted } from './journal.js';
import {
  type Found,
  mergeSources,
  type PlannedFile,
  planWrites,
  rememberFile,
  type SourceFile,
  substituteFile,
} from './plan.js';
import { chooseSource, readRemembered, rememberWrite } from './remembered.js';
import { splitSubstitute, substitute } from './substitute.js';

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
  /** For a person who waits. */
  tell(line: string): void;
}

export interface Merged {
  /** Without credentials. */
  repository: string;
  namespace: string;
  stage: string;
  files: PlannedFile[];
}

/** Several problems in one error, each on its line. */
class ConfigurationError extends SetupError {
  readonly issues: Issue[];

  constructor(message: string, issues: Issue[], hint: string) {
    super(message, { hint });
    this.issues = issues;
  }
}

/** Merges base and the stage into the working tree, all or nothing, and remembers the repository. */
export async function mergeConfiguration(request: MergeRequest, context: MergeContext): Promise<Merged> {
  const root = await realpath(context.cwd);
  if (await restoreInterrupted(root, request))
    context.tell('Restored the files that an interrupted run left half merged.');
  const remembered = await readRemembered(root);
  const source = chooseSource(request, remembered);
  if (request.branch !== undefined && !/^[^-\p{Cc}\s][^\p{Cc}\s]*$/u.test(request.branch)) {
    throw new SetupError('The branch is not a valid name', { hint: 'Name one with --branch.' });
  }
  const merge = async (folder: string, repository: string): Promise<Merged> => {
    const files = await readStage(folder, repository, request, context.env);
    const found = new Map<string, Found>();
    for (const file of files) found.set(file.path, await inspect(root, file.path));
    const { env, signal } = context;
    const tracked = request.force ? new Set<string>() : await trackedFiles(root, { env, signal });
    const plan = planWrites(files, found, { tracked, force: request.force });
    const remember = await rememberWrite(root, remembered, source, repository);
    const overwritten = [...plan.tracked, ...(remember && tracked.has(rememberFile) ? [rememberFile] : [])];
    refuse('These files cannot be merged', plan.refused, 'Nothing was written. Move away what is in their place.');
    refuse(
      'git tracks these files here, and the merge would overwrite them',
      overwritten.map((file) => ({ path: file, message: 'tracked' })),
      'Nothing was written. Overwrite them with --force.',
    );
    if (!request.dryRun) await applyWrites(root, [...plan.writes, ...(remember ? [remember] : [])], { signal });
    return { repository, namespace: request.namespace, stage: request.stage, files: plan.files };
  };
  if (source.kind === 'folder') {
    const folder = path.resolve(root, source.folder);
    if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
      throw new SetupError(`There is no folder ${source.folder}`, { hint: 'Name another with --repo-dir.' });
    }
    context.tell(`Reading ${source.folder}`);
    return merge(folder, source.folder);
  }
  const address = repositoryAddress(source.target, root);
  context.tell(`Cloning ${address.shown}`);
  const { env, signal } = context;
  return withClone(address, { branch: request.branch, env, signal }, (folder) => merge(folder, address.shown));
}

/** The files of base and the stage, merged and with their variables; nothing that must not be copied. */
async function readStage(
  folder: string,
  repository: string,
  { namespace, stage }: MergeRequest,
  env: MergeContext['env'],
) {
  const namespaces = await folderNames(folder);
  if (!namespaces.includes(namespace)) {
    throw unknown('namespace', namespace, `in ${repository}`, namespaces);
  }
  const folders = await folderNames(path.join(folder, namespace));
  const stages = folders.filter((name) => name !== 'base');
  if (!stages.includes(stage)) throw unknown('stage', stage, `in the namespace ${namespace}`, stages);
  const read = (name: string) => readSources(path.join(folder, namespace, name));
  const base: SourceFile[] = folders.includes('base') ? await read('base') : [];
  if (base.some((file) => file.path === substituteFile)) {
    throw new SetupError(`${namespace}/base/${substituteFile} has no effect: only a stage's variables are replaced`, {
      hint: 'Move it into the stages that need it.',
    });
  }
  const { files: listed, variables } = splitSubstitute(await read(stage), `${namespace}/${stage}/${substituteFile}`);
  const { files, refused } = mergeSources(base, listed);
  const within = (issue: Issue) => ({ ...issue, path: `${namespace}/${issue.path.replace(/^stage\//, `${stage}/`)}` });
  refuse('The repository holds files that cannot be merged', refused.map(within), 'Nothing was written.');
  const { files: replaced, missing } = substitute(listed, variables, env);
  refuse(
    'Variables of the stage are missing in the environment',
    missing.map((issue) => ({ ...issue, path: `${namespace}/${stage}/${issue.path}` })),
    'Nothing was written. Set them, or give them a default in the file.',
  );
  return variables.size === 0 ? files : mergeSources(base, replaced).files;
}

const shownIssues = 20;

function refuse(message: string, issues: Issue[], hint: string): void {
  if (issues.length === 0) return;
  const more = issues.length > shownIssues ? ` (${issues.length}, of which the first ${shownIssues})` : '';
  throw new ConfigurationError(`${message}${more}:`, issues.slice(0, shownIssues), hint);
}

function unknown(what: 'namespace' | 'stage', name: string, where: string, there: string[]): SetupError {
  const hint = there.length === 0 ? `There is no ${what} at all.` : `There are: ${there.join(', ')}.`;
  return new SetupError(`There is no ${what} ${name} ${where}`, { hint });
}
