import { parse } from 'dotenv';
import { SetupError, toMessage } from '../contract/errors.js';
import { readIfExists, savePrivateFile } from '../platform/files.js';
import { formatVariable, removeVariables } from './env-format.js';

/** Returns the variables of an .env file; none for a missing file. */
export const readVariables = async (file: string): Promise<Record<string, string>> => parse(await readText(file));

/** Adds the variables of an .env file, if any, to `env`. Existing variables keep their values. */
export async function loadEnvFile(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const [name, value] of Object.entries(await readVariables(file))) env[name] ??= value;
}

async function readText(file: string): Promise<string> {
  try {
    return (await readIfExists(file)) ?? '';
  } catch (cause) {
    throw new SetupError(`Cannot read ${file}: ${toMessage(cause)}`, { cause });
  }
}

/**
 * Sets variables in an .env file (mode 0600) and keeps all other lines. Throws a SetupError for existing variables without
 * `force`, and for a value that dotenv and bash cannot both read back.
 */
export async function setVariables(
  file: string,
  variables: Readonly<Record<string, string>>,
  { force }: { force: boolean },
): Promise<void> {
  const text = await readText(file);
  const existing = Object.keys(parse(text)).filter((name) => Object.hasOwn(variables, name));
  if (existing.length > 0 && !force) {
    throw new SetupError(`${file} already sets ${existing.join(', ')}`, {
      hint: 'Replace the variables with --force, or choose another file with --env-file.',
    });
  }
  const others = removeVariables(text, new Set(existing));
  const lines = Object.entries(variables).map(([name, value]) => {
    const formatted = formatVariable(name, value);
    if (formatted === undefined) {
      throw new SetupError(`Cannot write ${name} into an .env file: no quotes can enclose the value`);
    }
    return formatted;
  });
  const start = others === '' || others.endsWith('\n') ? others : `${others}\n`;
  await savePrivateFile(file, `${start}${lines.join('')}`);
}
