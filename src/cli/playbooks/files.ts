import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../../contract/errors.js';
import type { RunBody } from '../../contract/executions.js';
import { homeDirectory } from '../../platform/home.js';
import { findNearestName } from './nearest-name.js';
import { PlaybookError, type PlaybookOptions, parsePlaybook, toRunBody } from './playbook.js';

const extension = /\.ya?ml$/;

const getPlaybookDirectory = () => path.join(homeDirectory(), 'playbooks');

/** Shortens a path relative to the working directory: `/work/a/b.yaml` → `a/b.yaml`. Leaves paths outside unchanged. */
function shortenPath(file: string): string {
  const relative = path.relative('', file);
  return relative.startsWith('..') ? file : relative;
}

/** Lists the playbooks of a directory by name. Returns none for a missing directory. */
async function listFiles(directory: string): Promise<{ name: string; file: string }[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new SetupError(`Cannot read ${shortenPath(directory)}: ${error.message}`, { cause: error });
  });
  const playbooks = names.filter((name) => extension.test(name)).sort();
  return playbooks.map((name) => ({ name: name.replace(extension, ''), file: path.join(directory, name) }));
}

/** Finds a playbook by path, e.g. `a/b.yaml`, or by name in `directory`, e.g. `hello`. */
async function findFile(name: string, directory: string): Promise<string> {
  if (extension.test(name) || /[/\\]/.test(name)) return path.resolve(name);
  const files = await listFiles(directory);
  const match = files.find((file) => file.name === name);
  if (match) return match.file;
  const names = files.map((file) => file.name);
  const nearest = findNearestName(name, names);
  throw new SetupError(`There is no playbook ${name} in ${shortenPath(directory)}`, {
    hint: nearest ? `Did you mean ${nearest}?` : 'See `reefguide playbook list`, or give the path of a file.',
  });
}

export async function loadPlaybook(name: string, options: PlaybookOptions = {}) {
  const file = shortenPath(await findFile(name, getPlaybookDirectory()));
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new SetupError(`Cannot read ${file}: ${reason}`, { cause: error });
  });
  return { file, playbook: await parsePlaybook(file, text, options) };
}

/** Reads a playbook into the body of a run, with values for all its variables. */
export const loadRunBody = async (name: string, options: Required<PlaybookOptions>): Promise<RunBody> =>
  toRunBody((await loadPlaybook(name, options)).playbook);

interface ListedPlaybook {
  name: string;
  file: string;
  description: string;
  variables: string[];
  /** Problems of an invalid playbook, each `file:line:column: message`. */
  problems: string[];
}

/** Lists the playbooks of a directory, including invalid playbooks. */
export async function listPlaybooks(directory = getPlaybookDirectory()) {
  const files = await listFiles(directory);
  return { directory: shortenPath(directory), playbooks: await Promise.all(files.map(readListed)) };
}

async function readListed({ name, file }: { name: string; file: string }): Promise<ListedPlaybook> {
  const listed = { name, file: shortenPath(file), description: '', variables: [], problems: [] };
  try {
    const { description = '', variables } = (await loadPlaybook(file)).playbook;
    return { ...listed, description, variables };
  } catch (error) {
    if (error instanceof PlaybookError)
      return { ...listed, problems: error.issues.map(({ path: position, message }) => `${position}: ${message}`) };
    if (error instanceof SetupError) return { ...listed, problems: [error.message] };
    throw error;
  }
}
