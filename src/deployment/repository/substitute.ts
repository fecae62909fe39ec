import { z } from 'zod';
import { type Issue, SetupError } from '../../contract/errors.js';
import { type SourceFile, substituteFile } from './plan.js';

const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and _');
const substituteSchema = z.strictObject({ variables: z.array(name) });

/** The variables that a stage's `substitute.json` lists, `where` in the repository. A SetupError when it is not well formed. */
export function parseSubstitute(content: Buffer, where: string): Set<string> {
  const hint = `It reads like { "variables": ["BRANCH_NAME"] }.`;
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch {
    throw new SetupError(`${where} is not JSON`, { hint });
  }
  const parsed = substituteSchema.safeParse(value);
  if (parsed.success) return new Set(parsed.data.variables);
  const [issue] = parsed.error.issues;
  throw new SetupError(`${where} is not right: ${issue?.path.join('.') || 'it'}: ${issue?.message}`, { hint });
}

/** A file with a NUL byte is binary. */
const isText = (content: Buffer) => !content.includes(0);

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * The files with `${NAME}` and `${NAME:-default}` replaced for the names in `variables`; every other byte stays. As in a
 * shell, the default also stands for an empty value. `missing` has one entry for each file and variable.
 */
export function substitute(
  files: readonly SourceFile[],
  variables: ReadonlySet<string>,
  env: Readonly<Record<string, string | undefined>>,
): { files: SourceFile[]; missing: Issue[] } {
  const missing = new Map<string, Issue>();
  const replaced = files.map((file): SourceFile => {
    if (file.kind !== 'file' || variables.size === 0 || !isText(file.content)) return file;
    // One character a byte, so that a file that is not UTF-8 keeps its bytes.
    const text = file.content.toString('latin1').replaceAll(reference, (whole, variable: string, fallback?: string) => {
      if (!variables.has(variable)) return whole;
      const value = Object.hasOwn(env, variable) ? env[variable] : undefined;
      if (fallback !== undefined && !value) return fallback;
      if (value !== undefined) return Buffer.from(value, 'utf8').toString('latin1');
      missing.set(`${file.path}\0${variable}`, { path: file.path, message: `${variable} is not set` });
      return whole;
    });
    return { ...file, content: Buffer.from(text, 'latin1') };
  });
  return { files: replaced, missing: [...missing.values()] };
}

/** The stage's files without its list of variables, and that list. */
export function splitSubstitute(
  files: readonly SourceFile[],
  where: string,
): { files: SourceFile[]; variables: Set<string> } {
  const list = files.find(({ path }) => path === substituteFile);
  if (!list) return { files: [...files], variables: new Set() };
  if (list.kind !== 'file') throw new SetupError(`${where} is no ordinary file`);
  return { files: files.filter((file) => file !== list), variables: parseSubstitute(list.content, where) };
}
