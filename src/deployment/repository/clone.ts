import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { SimpleGit } from 'simple-git';
import { SetupError, toMessage } from '../../contract/errors.js';
import { type RepositoryAddress, removeCredentials } from './address.js';
import { toInterruptedError } from './apply.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface CloneOptions {
  branch?: string | undefined;
  env: Environment;
  signal?: AbortSignal | undefined;
  /** Ends git after so many milliseconds without output. */
  idleTimeoutMs?: number;
  /** Parent of the temporary directory. */
  parentDirectory?: string;
}

// Variables that a git hook sets for another repository, open a window or an editor, or change the output of git.
const droppedVariables =
  /^(GIT_(DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|NAMESPACE|PREFIX|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|ASKPASS|EDITOR|SEQUENCE_EDITOR|PAGER|EXTERNAL_DIFF|TEMPLATE_DIR|TRACE.*)|SSH_ASKPASS|EDITOR|PAGER|PREFIX)$/i;

/** Returns an environment in which git asks nothing, prints English, and uses encrypted or local transports alone. */
export function toGitEnvironment(env: Environment): Record<string, string | undefined> {
  const entries = Object.entries(env).filter(([name]) => !droppedVariables.test(name));
  return {
    ...Object.fromEntries(entries),
    GIT_TERMINAL_PROMPT: '0',
    // An empty value also disables a program that git's configuration names.
    GIT_ASKPASS: '',
    GCM_INTERACTIVE: 'never',
    GIT_ALLOW_PROTOCOL: 'file:https:ssh',
    LC_ALL: 'C',
    LANGUAGE: 'C',
  };
}

async function openGit(directory: string, { env, signal, idleTimeoutMs }: CloneOptions): Promise<SimpleGit> {
  const { simpleGit } = await import('simple-git');
  return simpleGit({
    baseDir: directory,
    ...(signal ? { abort: signal } : {}),
    ...(idleTimeoutMs ? { timeout: { block: idleTimeoutMs } } : {}),
    // Accepts the settings of git in the user's environment, with which simple-git refuses to start by default.
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeGitProxy: true,
      allowUnsafeSshCommand: true,
    },
  }).env(toGitEnvironment(env));
}

/** Clones the newest commit into a temporary directory, runs `use`, and removes the directory, also after an error. */
export async function withClone<T>(
  address: RepositoryAddress,
  options: CloneOptions,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const { branch, env, signal, idleTimeoutMs = 60_000, parentDirectory = os.tmpdir() } = options;
  const temporary = await mkdtemp(path.join(parentDirectory, 'reefguide-config-'));
  try {
    const git = await openGit(temporary, { env, signal, idleTimeoutMs });
    const clone = path.join(temporary, 'repository');
    try {
      await disablePrompts(git, env);
      await git.clone(address.clone, clone, {
        '--depth': 1,
        '--single-branch': null,
        '--no-tags': null,
        '--no-recurse-submodules': null,
        // Produces output, which tells a slow clone from a hanging one.
        '--progress': null,
        ...(branch === undefined ? {} : { '--branch': branch }),
      });
    } catch (error) {
      throw toCloneError(error, address, branch, idleTimeoutMs);
    }
    return await use(clone);
  } finally {
    // Retries, because children of git may write for a moment after git has ended.
    await rm(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Stops ssh from asking for a passphrase or about an unknown host. Leaves a command that the user configured alone. */
async function disablePrompts(git: SimpleGit, env: Environment): Promise<void> {
  if (env.GIT_SSH_COMMAND || env.GIT_SSH || (await git.getConfig('core.sshCommand')).value) return;
  git.env({ ...toGitEnvironment(env), GIT_SSH_COMMAND: 'ssh -oBatchMode=yes' });
}

/** Returns the relative paths that git tracks below `directory`; none outside a repository. */
export async function listTrackedFiles(directory: string, options: Omit<CloneOptions, 'branch'>): Promise<Set<string>> {
  const git = await openGit(directory, options);
  try {
    const listed = await git.raw(['ls-files', '-z', '--recurse-submodules']);
    return new Set(listed.split('\0').filter((file) => file !== ''));
  } catch (error) {
    const text = toMessage(error);
    if (/not a git repository/i.test(text)) return new Set();
    throw toMissingGitError(text) ?? new SetupError(`git cannot list tracked files: ${findReason(text)}`);
  }
}

function toMissingGitError(text: string): SetupError | undefined {
  if (!/spawn git ENOENT/.test(text)) return undefined;
  return new SetupError('Cannot run git: no such program in the PATH', { hint: 'Install git.' });
}

/** Returns the line with git's error among progress and advice, for example `fatal: …` → `…`. */
function findReason(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  const error = lines.find((line) => /^(remote: )?(fatal|ERROR|error):/i.test(line));
  const line = error ?? lines.filter((text) => text !== '').at(-1) ?? 'git gave no reason';
  return line.replace(/^(remote: )?(fatal|error): /i, '');
}

const hints: [RegExp, string][] = [
  [
    /could not read (username|password)|authentication failed|permission denied|terminal prompts disabled|40[13]/i,
    'Give git access: a credential helper for https, or a key in your ssh agent for ssh. This command asks for nothing.',
  ],
  [/host key verification failed/i, 'Connect to the host once with ssh to accept the key.'],
  [
    /could not resolve host|failed to connect|connection (refused|timed out)|network/i,
    'Check the network and the host.',
  ],
  [
    /not found|does not exist|does not appear to be a git repository|could not read from remote/i,
    'Check the address and your access to the repository.',
  ],
];

function toCloneError(error: unknown, address: RepositoryAddress, branch: string | undefined, idleTimeoutMs: number) {
  const text = removeCredentials(toMessage(error), address);
  const missing = toMissingGitError(text);
  if (missing) return missing;
  const start = `Cannot clone ${address.shown}`;
  if (/abort signal received|abort already signaled/i.test(text)) return toInterruptedError();
  if (/block timeout reached/.test(text)) {
    return new SetupError(`${start}: git printed nothing for ${idleTimeoutMs / 1000} s`, {
      hint: 'Check the network and the host.',
    });
  }
  if (branch !== undefined && /remote branch .* not found/i.test(text)) {
    return new SetupError(`${start}: no branch ${branch}`, { hint: 'Choose another with --branch.' });
  }
  const hint = hints.find(([symptom]) => symptom.test(text))?.[1] ?? 'Try `git clone` with this address to see more.';
  return new SetupError(`${start}: ${findReason(text)}`, { hint });
}
