import { readFile } from 'node:fs/promises';
import { parse } from 'dotenv';
import { SetupError } from '../contract/errors.js';
import { savePrivateFile } from '../platform/files.js';
import { formatVariable, removeVariables } from './env-format.js';

/** The variables of an .env file; none when it is not there. */
export const readVariables = async (file: string): Promise<Record<string, string>> => parse(await readIfThere(file));

/** Sets the variables of an .env file, when it is there, that `env` does not hold yet. */
export async function loadEnvFile(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const [name, value] of Object.entries(await readVariables(file))) env[name] ??= value;
}

const readIfThere = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new SetupError(`Cannot read ${file}: ${error.message}`);
  });

/**
 * Sets variables in an .env file (mode 0600), keeping its other lines. Variables that are set already are replaced only
 * with `force`. dotenv and bash read back the same bytes; a value that cannot be written so is a SetupError.
 */
export async function setVariables(
  file: string,
  variables: Readonly<Record<string, string>>,
  { force }: { force: boolean },
): Promise<void> {
  const text = await readIfThere(file);
  const there = Object.keys(parse(text)).filter((name) => Object.hasOwn(variables, name));
  if (there.length > 0 && !force) {
    throw new SetupError(`${file} already sets ${there.join(', ')}`, {
      hint: 'Replace them with --force, or name another file with --env-file.',
    });
  }
  const kept = removeVariables(text, new Set(there));
  const lines = Object.entries(variables).map(([name, value]) => {
    const formatted = formatVariable(name, value);
    if (formatted === undefined) {
      throw new SetupError(`The value of ${name} cannot be written into an .env file: no quotes hold it`);
    }
    return formatted;
  });
  const start = kept === '' || kept.endsWith('\n') ? kept : `${kept}\n`;
  await savePrivateFile(file, `${start}${lines.join('')}`);
}
