import { readFile } from 'node:fs/promises';
import { parse } from 'dotenv';
import { SetupError } from '../contract/errors.js';
import { writeFileWhole } from './home.js';

/** Sets the variables of an .env file, when it is there, that `env` does not hold yet. */
export async function loadEnvFile(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const [name, value] of Object.entries(parse(await readIfThere(file)))) env[name] ??= value;
}

const readIfThere = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new SetupError(`Cannot read ${file}: ${error.message}`);
  });

/**
 * Sets variables in an .env file (mode 0600), keeping its other lines. Variables that are set already are replaced only
 * with `force`. dotenv reads back the same bytes; so does a shell, unless a value holds `'` beside what is special
 * within double quotes. A value that no quotes hold is a SetupError.
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
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(name, value)}`);
  const start = kept === '' || kept.endsWith('\n') ? kept : `${kept}\n`;
  await writeFileWhole(file, `${start}${lines.join('\n')}\n`);
}

/** The value in quotes that neither dotenv nor, where possible, a shell reads anything into. Line breaks stand as they are. */
function quoted(name: string, value: string): string {
  // To dotenv a backslash before the closing quote takes the quote into the value.
  const closes = !value.endsWith('\\');
  if (closes && !/['\r]/.test(value)) return `'${value}'`;
  // dotenv reads `\n` and `\r` within double quotes as line breaks, and nothing else.
  if (closes && !/["\\]/.test(value)) return `"${value.replaceAll('\r', '\\r')}"`;
  if (closes && !/[`\r]/.test(value)) return `\`${value}\``;
  throw new SetupError(`The value of ${name} cannot be written into an .env file: no quotes hold it`);
}

/** The text without the assignments of `names`, values in quotes over several lines included. */
function removeVariables(text: string, names: ReadonlySet<string>): string {
  const assignment =
    /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|[^\r\n]*)[^\r\n]*(?:\r?\n|$)/gm;
  return text.replaceAll(assignment, (whole, name: string) => (names.has(name) ? '' : whole));
}
