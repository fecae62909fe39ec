import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { SimpleGit } from 'simple-git';
import { SetupError, toMessage } from '../../contract/errors.js';
import { type RepositoryAddress, withoutCredentials } from './address.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface CloneOptions {
  branch?: string | undefined;
  env: Environment;
  signal?: AbortSignal | undefined;
  /** Ends git when it says nothing for so long. */
  silenceMs?: number;
  /** Where the temporary folder is made. */
  temporary?: string;
}

// Of a git hook, they name another repository; the others open a window or an editor, or change what git prints.
const dropped =
  /^(GIT_(DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|NAMESPACE|PREFIX|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|ASKPASS|EDITOR|SEQUENCE_EDITOR|PAGER|EXTERNAL_DIFF|TEMPLATE_DIR|TRACE.*)|SSH_ASKPASS|EDITOR|PAGER|PREFIX)$/i;

/** The environment for git: it never asks, answers in English, and speaks no transport but these. */
export function gitEnvironment(env: Environment): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => !dropped.test(name));
  return {
    ...Object.fromEntries(kept),
    GIT_TERMINAL_PROMPT: '0',
    // Empty, it also turns off the program that git's configuration names.
    GIT_ASKPASS: '',
    GCM_INTERACTIVE: 'never',
    GIT_ALLOW_PROTOCOL: 'file:https:ssh',
    LC_ALL: 'C',
    LANGUAGE: 'C',
  };
}

async function openGit(folder: string, { env, signal, silenceMs }: CloneOptions): Promise<SimpleGit> {
  const { simpleGit } = await import('simple-git');
  return simpleGit({
    baseDir: folder,
    ...(signal ? { abort: signal } : {}),
    ...(silenceMs ? { timeout: { block: silenceMs } } : {}),
    // What the user's own environment says about git; simple-git would refuse to start with it.
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeGitProxy: true,
      allowUnsafeSshCommand: true,
    },
  }).env(gitEnvironment(env));
}

/** Clones the newest commit into a temporary folder, which is gone when `use` has ended, however it ended. */
export async function withClone<T>(
  address: RepositoryAddress,
  options: CloneOptions,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const { branch, env, signal, silenceMs = 60_000, temporary = os.tmpdir() } = options;
  const folder = await mkdtemp(path.join(temporary, 'reefguide-config-'));
  try {
    const git = await openGit(folder, { env, signal, silenceMs });
    const clone = path.join(folder, 'repository');
    try {
      await neverAsk(git, env);
      await git.clone(address.clone, clone, {
        '--depth': 1,
        '--single-branch': null,
        '--no-tags': null,
        '--no-recurse-submodules': null,
        // What it prints shows that it is alive.
        '--progress': null,
        ...(branch === undefined ? {} : { '--branch': branch }),
      });
    } catch (error) {
      throw explainClone(error, address, { branch, silenceMs });
    }
    return await use(clone);
  } finally {
    // git's own children may still write for a moment after git was ended.
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** ssh would ask for a passphrase or about an unknown host on the terminal. A command that the user chose stays as it is. */
async function neverAsk(git: SimpleGit, env: Environment): Promise<void> {
  if (env.GIT_SSH_COMMAND || env.GIT_SSH || (await git.getConfig('core.sshCommand')).value) return;
  git.env({ ...gitEnvironment(env), GIT_SSH_COMMAND: 'ssh -oBatchMode=yes' });
}

/** The paths below `folder` that git tracks there, relative to it; none when it is in no repository. */
export async function trackedFiles(folder: string, options: Omit<CloneOptions, 'branch'>): Promise<Set<string>> {
  const git = await openGit(folder, options);
  try {
    const listed = await git.raw(['ls-files', '-z', '--recurse-submodules']);
    return new Set(listed.split('\0').filter((file) => file !== ''));
  } catch (error) {
    const text = toMessage(error);
    if (/not a git repository/i.test(text)) return new Set();
    throw gitMissing(text) ?? new SetupError(`git cannot list the files it tracks here: ${lastWords(text)}`);
  }
}

function gitMissing(text: string): SetupError | undefined {
  if (!/spawn git ENOENT/.test(text)) return undefined;
  return new SetupError('git was not found on this machine', { hint: 'Install git, and see that it is in the PATH.' });
}

/** The line with which git gave up, among progress and advice. */
function lastWords(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  const remote = lines.find((line) => /^(remote: )?(fatal|ERROR|error):/i.test(line));
  const line = remote ?? lines.filter((one) => one !== '').at(-1) ?? 'git gave no reason';
  return line.replace(/^(remote: )?(fatal|error): /i, '');
}

const hints: [RegExp, string][] = [
  [
    /could not read (username|password)|authentication failed|permission denied|terminal prompts disabled|40[13]/i,
    'Give git access: a credential helper for https, or a key in your ssh agent for ssh. Nothing is asked for here.',
  ],
  [/host key verification failed/i, 'Connect to the host once with ssh, to accept its key.'],
  [
    /could not resolve host|failed to connect|connection (refused|timed out)|network/i,
    'Check the network and the host.',
  ],
  [
    /not found|does not exist|does not appear to be a git repository|could not read from remote/i,
    'Check the address, and that you may read it.',
  ],
];

function explainClone(
  error: unknown,
  address: RepositoryAddress,
  { branch, silenceMs }: { branch: string | undefined; silenceMs: number },
): SetupError {
  const text = withoutCredentials(toMessage(error), address);
  const missing = gitMissing(text);
  if (missing) return missing;
  const start = `Cannot clone ${address.shown}`;
  if (/abort signal received|abort already signaled/i.test(text)) {
    return new SetupError('Interrupted: the working tree is as it was');
  }
  if (/block timeout reached/.test(text)) {
    return new SetupError(`${start}: git said nothing for ${silenceMs / 1000} s`, {
      hint: 'Check the network and the host.',
    });
  }
  if (branch !== undefined && /remote branch .* not found/i.test(text)) {
    return new SetupError(`${start}: it has no branch ${branch}`, { hint: 'Name another with --branch.' });
  }
  const hint = hints.find(([symptom]) => symptom.test(text))?.[1] ?? 'Try `git clone` with this address to see more.';
  return new SetupError(`${start}: ${lastWords(text)}`, { hint });
}
