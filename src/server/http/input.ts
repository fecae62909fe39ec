import express, { type Request, type Response } from 'express';
import type { z } from 'zod';
import { type Issue, ServiceError } from '../../contract/errors.js';
import type { Route } from '../../contract/route.js';

export interface Input<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  params: z.infer<P>;
  query: z.infer<Q>;
  body: z.infer<B>;
}

export type ReadBody = (request: Request, response: Response) => Promise<unknown>;

const defaultMaxBytes = 1_048_576;
const maxDepth = 64;

/** Returns a reader of JSON bodies of any declared content type; gzip is inflated up to `maxBytes`. */
export function createBodyReader(maxBytes = defaultMaxBytes): ReadBody {
  const readJson = express.json({ limit: maxBytes, strict: false, type: () => true });
  return (request, response) =>
    new Promise((resolve, reject) => {
      readJson(request, response, (error: unknown) => (error ? reject(error) : resolve(request.body)));
    });
}

/** Validates the path parameters, the query and the body of a request. The body is read only for a route with a body. */
export async function readInput<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  route: Route<P, Q, B>,
  request: Request,
  response: Response,
  readBody: ReadBody,
): Promise<Input<P, Q, B>> {
  checkJson(request.params, 'params');
  checkJson(request.query, 'query');
  const input = {
    params: route.params && parse(route.params, request.params, 'params'),
    query: route.query && parse(route.query, request.query, 'query'),
    body: undefined as unknown,
  };
  if (route.body) {
    const body = await readBody(request, response);
    checkJson(body);
    input.body = parse(route.body, body, '');
  }
  // A part without a schema has the type `unknown` in the handler, so `undefined` is a valid value.
  return input as Input<P, Q, B>;
}

/** Matches half of a surrogate pair, for example `\ud800`: JSON can spell a half, UTF-8 cannot. */
const loneSurrogate = /\p{Surrogate}/u;

const findTextProblem = (text: string): string | undefined => {
  if (text.includes('\0')) return 'holds a NUL character';
  return loneSurrogate.test(text) ? 'holds a lone surrogate' : undefined;
};

/**
 * Refuses values beyond any route and the database: nesting beyond 64 levels, NUL characters, lone surrogates, infinite
 * numbers (for example `1e999`). Walks without recursion, because deep nesting would exhaust the stack.
 */
export function checkJson(value: unknown, rootPath = ''): void {
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value, path: rootPath, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value: item, path, depth } = next;
    const problem = typeof item === 'string' ? findTextProblem(item) : undefined;
    if (problem !== undefined) throw invalidRequest(path, problem);
    if (typeof item === 'number' && !Number.isFinite(item)) throw invalidRequest(path, 'is a number out of range');
    if (typeof item !== 'object' || item === null) continue;
    if (depth === maxDepth) throw invalidRequest(path, `is nested deeper than ${maxDepth} levels`);
    for (const [key, inner] of Object.entries(item)) {
      const keyProblem = findTextProblem(key);
      if (keyProblem !== undefined) throw invalidRequest(path, `${keyProblem} in a name`);
      if (key === '__proto__') throw invalidRequest(path, 'holds a name that is not allowed: __proto__');
      waiting.push({ value: inner, path: path === '' ? key : `${path}.${key}`, depth: depth + 1 });
    }
  }
}

const invalidRequest = (path: string, message: string) =>
  new ServiceError('invalid', 'Invalid request', { issues: [{ path: path.slice(0, 300), message }] });

/** Returns the parsed value. Throws an error with the path of every issue, for example `params.id`. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, rootPath: string): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues: Issue[] = parsed.error.issues.slice(0, 100).map((issue) => ({
    path: [rootPath, ...issue.path.map(String)].filter((part) => part !== '').join('.'),
    // An invalid key of a record carries its message in a nested issue.
    message: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
  }));
  throw new ServiceError('invalid', 'Invalid request', { issues });
}
