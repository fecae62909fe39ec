import type { z } from 'zod';
import { SetupError } from '../contract/errors.js';

/** Returns the variables of an environment without empty ones, which count as unset. */
export const omitEmptyVariables = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value ? [[name, value]] : [])));

/** Returns what a zod issue expected, for example `Too small: expected number to be >0` → `expected number to be >0`. */
export const toExpectation = (message: string): string => message.replace(/^[A-Z][a-z]+ [a-z]+: (?=expected)/, '');

/** Returns the problems that zod found, such as `PORT: expected a port`, each without the value, which may be secret. */
export const toVariableProblems = (error: z.ZodError, prefix = ''): string[] =>
  error.issues.map(({ path, message }) => `${prefix}${path.join('.')}: ${toExpectation(message)}`);

/** Returns one error for all problems of an environment. */
export const toEnvironmentError = (problems: readonly string[]) =>
  new SetupError(`Invalid environment:\n${problems.map((problem) => `  ${problem}`).join('\n')}`, {
    hint: 'Correct these variables and start again.',
  });

/** Parses environment variables. Throws a SetupError with the problems of all variables. */
export function parseEnvironment<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.infer<S> {
  const parsed = schema.safeParse(omitEmptyVariables(env));
  if (parsed.success) return parsed.data;
  throw toEnvironmentError(toVariableProblems(parsed.error));
}
