import { z } from 'zod';
import { type Issue, SetupError } from '../../contract/errors.js';
import { substituteFile } from './paths.js';
import type { SourceFile } from './plan.js';

const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a name of letters, digits and _');
const substituteSchema = z.strictObject({ variables: z.array(name) });

/** Parses a stage's `substitute.json`. Throws a SetupError with `file`, the path in the repository, for a malformed list. */
export function parseVariableNames(content: Buffer, file: string): Set<string> {
  const hint = 'Write a list such as { "variables": ["BRANCH_NAME"] }.';
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch {
    throw new SetupError(`Invalid ${file}: expected JSON`, { hint });
  }
  const parsed = substituteSchema.safeParse(value);
  if (parsed.success) return new Set(parsed.data.variables);
  const [issue] = parsed.error.issues;
  throw new SetupError(`Invalid ${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`, { hint });
}

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` for the names in `variables`, and keeps every other byte. As in a shell, the
 * default also replaces an empty value. `missing` has one entry for each file and variable.
 */
export function replaceVariables(
  files: readonly SourceFile[],
  variables: ReadonlySet<string>,
  env: Readonly<Record<string, string | undefined>>,
): { files: SourceFile[]; missing: Issue[] } {
  const missing = new Map<string, Issue>();
  const replaced = files.map((file): SourceFile => {
    // A NUL byte marks a binary file.
    if (file.kind !== 'file' || variables.size === 0 || file.content.includes(0)) return file;
    // Decodes each byte to one character, so that a file in another encoding than UTF-8 keeps its bytes.
    const text = file.content.toString('latin1').replaceAll(reference, (match, variable: string, fallback?: string) => {
      if (!variables.has(variable)) return match;
      const value = Object.hasOwn(env, variable) ? env[variable] : undefined;
      if (fallback !== undefined && !value) return fallback;
      if (value !== undefined) return Buffer.from(value, 'utf8').toString('latin1');
      missing.set(`${file.path}\0${variable}`, { path: file.path, message: `${variable} is not set` });
      return match;
    });
    return { ...file, content: Buffer.from(text, 'latin1') };
  });
  return { files: replaced, missing: [...missing.values()] };
}

/** Separates a stage's list of variables from its other files. */
export function separateVariables(files: readonly SourceFile[], file: string) {
  const list = files.find(({ path }) => path === substituteFile);
  if (!list) return { files: [...files], variables: new Set<string>() };
  if (list.kind !== 'file') throw new SetupError(`${file} is not a regular file`);
  return { files: files.filter((source) => source !== list), variables: parseVariableNames(list.content, file) };
}
