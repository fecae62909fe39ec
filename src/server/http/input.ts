import type { z } from 'zod';
import { type Issue, ServiceError } from '../../contract/errors.js';

const maxDepth = 64;

/** Half of a character beyond the basic plane: JSON can spell it, UTF-8 cannot. */
const loneSurrogate = /\p{Surrogate}/u;

const problemOf = (text: string): string | undefined => {
  if (text.includes('\0')) return 'holds a NUL character';
  return loneSurrogate.test(text) ? 'holds a lone surrogate' : undefined;
};

/**
 * Refuses what no route wants and the database cannot hold: nesting beyond 64 levels, NUL characters, halves of
 * characters, numbers that JSON reads as infinite. Walks without recursion, so that deep nesting costs no stack.
 */
export function checkJson(value: unknown, at = ''): void {
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value, path: at, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: item, path, depth } = next;
    const problem = typeof item === 'string' ? problemOf(item) : undefined;
    if (problem !== undefined) throw invalid(path, problem);
    if (typeof item === 'number' && !Number.isFinite(item)) throw invalid(path, 'is a number out of range');
    if (typeof item !== 'object' || item === null) continue;
    if (depth === maxDepth) throw invalid(path, `is nested deeper than ${maxDepth} levels`);
    for (const [key, inner] of Object.entries(item)) {
      const innerPath = path === '' ? key : `${path}.${key}`;
      const problemOfKey = problemOf(key);
      if (problemOfKey !== undefined) throw invalid(path, `${problemOfKey} in a name`);
      if (key === '__proto__') throw invalid(path, 'holds a name that is not allowed: __proto__');
      waiting.push({ value: inner, path: innerPath, depth: depth + 1 });
    }
  }
}

const invalid = (path: string, message: string) =>
  new ServiceError('invalid', 'Invalid request', { issues: [{ path: path.slice(0, 300), message }] });

/** The parsed value, or one error with every issue and its path. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, at: string): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues: Issue[] = parsed.error.issues.slice(0, 100).map((issue) => ({
    path: [at, ...issue.path.map(String)].filter((part) => part !== '').join('.'),
    // What is wrong with a name stands inside.
    message: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
  }));
  throw new ServiceError('invalid', 'Invalid request', { issues });
}
