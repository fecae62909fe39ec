import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../../contract/errors.js';
import { homeDirectory } from '../../platform/home.js';
import { nearest } from './nearest-name.js';
import type { Options, Playbook, PlaybookError } from './playbook.js';

export const playbookFolder = (env: NodeJS.ProcessEnv = process.env) => path.join(homeDirectory(env), 'playbooks');

const ending = /\.ya?ml$/;
/** As a person would name it from here. */
const shown = (file: string) => {
  const relative = path.relative('', file);
  return relative.startsWith('..') ? file : relative;
};

/** The usual folder, for people. */
export const shownFolder = () => shown(playbookFolder());

/** Files of playbooks in a folder, by name. A folder that is not there has none. */
async function filesIn(folder: string): Promise<{ name: string; file: string }[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new SetupError(`Cannot read ${shown(folder)}: ${error.message}`, { cause: error });
  });
  return names
    .filter((name) => ending.test(name))
    .sort()
    .map((name) => ({ name: name.replace(ending, ''), file: path.join(folder, name) }));
}

/** The file that NAME means: a path when it looks like one, otherwise a playbook of the folder. */
async function findPlaybook(name: string, folder: string): Promise<string> {
  if (ending.test(name) || /[/\\]/.test(name)) return path.resolve(name);
  const files = await filesIn(folder);
  const found = files.find((one) => one.name === name);
  if (found) return found.file;
  const meant = nearest(
    name,
    files.map((one) => one.name),
  );
  throw new SetupError(`There is no playbook ${name} in ${shown(folder)}`, {
    hint: meant ? `Did you mean ${meant}?` : 'See `reefguide playbook list`, or give the path of a file.',
  });
}

/** Reads the playbook that NAME means. */
export async function loadPlaybook(
  name: string,
  options: Options = {},
  folder = playbookFolder(),
): Promise<{ file: string; playbook: Playbook }> {
  const file = shown(await findPlaybook(name, folder));
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new SetupError(`Cannot read ${file}: ${reason}`, { cause: error });
  });
  const { parsePlaybook } = await import('./playbook.js');
  return { file, playbook: await parsePlaybook(file, text, options) };
}

export interface ListedPlaybook {
  name: string;
  file: string;
  description: string;
  variables: string[];
  problems: string[];
}

/** Every playbook of a folder, those with problems too. */
export async function listPlaybooks(folder = playbookFolder()): Promise<ListedPlaybook[]> {
  const { PlaybookError } = await import('./playbook.js');
  const problemsOf = (error: PlaybookError) => error.issues.map(({ path: at, message }) => `${at}: ${message}`);
  return Promise.all(
    (await filesIn(folder)).map(async ({ name, file }) => {
      const none = { name, file: shown(file), description: '', variables: [], problems: [] };
      try {
        const { description = '', variables } = (await loadPlaybook(file)).playbook;
        return { ...none, description, variables };
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        return { ...none, problems: error instanceof PlaybookError ? problemsOf(error) : [error.message] };
      }
    }),
  );
}
