import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Authenticate } from '../../accounts/authenticate.js';
import { type Caller, can } from '../../accounts/caller.js';
import { forbidden, notFound, ServiceError } from '../../contract/errors.js';
import type { Route } from '../../contract/route.js';
import { httpError } from './errors.js';
import { checkJson, parse } from './input.js';
import type { Metrics } from './metrics.js';

export interface Context {
  request: Request;
  response: Response;
  /** What the caller, or we, named this request. */
  requestId: string;
  /** The caller's address. */
  address: string;
  /** Where the caller reaches this API, without a slash at the end. */
  apiUrl: string;
  /** Aborted when the caller hangs up or the server shuts down. */
  signal: AbortSignal;
  log: Logger;
}

/** A context whose caller is authenticated. */
export interface UserContext extends Context {
  caller: Caller;
}

interface Input<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  params: z.infer<P>;
  query: z.infer<Q>;
  body: z.infer<B>;
}

/** Answers a request: the body, or undefined for an empty answer or when it wrote to `response` itself. */
export type Handler<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, C extends Context> = (
  input: Input<P, Q, B>,
  context: C,
) => unknown;

export interface HttpDependencies {
  log: Logger;
  metrics: Metrics;
  authenticate: Authenticate;
  publicUrl: string | undefined;
  /** Requests that wait are answered after so long; undefined: when they asked for. */
  holdMs?: number | undefined;
  /** Bytes that a body may have; a mebibyte. */
  bodyLimit?: number;
}

const usualLimit = 1_048_576;
/** Routes that a busy system calls all the time: logged at debug level. */
const quiet =
  /^\/(metrics|process|health|api\/(v1\/)?health|api\/ready|api\/jobs\/(poll|claim|demand|results|assign|assignments)|api\/capacity)/;

/** Binds routes of the contract to their handlers on an Express app. */
export function createHttp(deps: HttpDependencies) {
  const app = express();
  const routes: Route[] = [];
  const live = new Set<AbortController>();
  let closing = false;
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');

  const readJson = express.json({ limit: deps.bodyLimit ?? usualLimit, strict: false, type: () => true });
  const readBody = (request: Request, response: Response) =>
    new Promise<unknown>((resolve, reject) => {
      readJson(request, response, (error: unknown) => (error ? reject(error) : resolve(request.body)));
    });

  const contextOf = <C extends Caller | undefined>(
    request: Request,
    response: Response,
    caller: C,
  ): Context & { caller: C } => {
    let controller: AbortController | undefined;
    return {
      request,
      response,
      caller,
      requestId: String(response.locals.requestId),
      address: request.ip ?? 'unknown',
      get apiUrl() {
        return deps.publicUrl ?? `${request.protocol}://${hostOf(request)}`;
      },
      get log() {
        return requestLog(deps.log, response);
      },
      // Made on first use: most requests never look at it.
      get signal() {
        if (!controller) {
          const made = new AbortController();
          controller = made;
          live.add(made);
          const held = deps.holdMs === undefined ? undefined : setTimeout(() => made.abort(), deps.holdMs).unref();
          response.once('close', () => {
            clearTimeout(held);
            live.delete(made);
            if (!response.writableFinished) made.abort();
          });
          if (closing || response.destroyed) made.abort();
        }
        return controller.signal;
      },
    };
  };

  /** Registers `serve` for a route; what it returns is the answer's body. */
  const add = (route: Route, serve: (request: Request, response: Response) => Promise<unknown>) => {
    routes.push(route);
    const status = Number(Object.keys(route.responses).find((code) => code.startsWith('2')) ?? 200);
    app[route.method](route.path, async (request: Request, response: Response) => {
      response.locals.route = route.path;
      const result = await serve(request, response);
      if (response.headersSent || response.destroyed) return;
      if (result === undefined) response.status(status).end();
      else response.status(status).json(result);
    });
  };

  const inputOf = async <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
    route: Route<P, Q, B>,
    request: Request,
    response: Response,
  ): Promise<Input<P, Q, B>> => {
    checkJson(request.params, 'params');
    checkJson(request.query, 'query');
    const given = {
      params: route.params && parse(route.params, request.params, 'params'),
      query: route.query && parse(route.query, request.query, 'query'),
      body: undefined as unknown,
    };
    if (route.body) {
      const body = await readBody(request, response);
      checkJson(body);
      given.body = parse(route.body, body, '');
    }
    // A part without a schema is `unknown` to its handler, so that `undefined` fits it.
    return given as Input<P, Q, B>;
  };

  app.use((request: Request, response: Response, next: NextFunction) => {
    observe(deps, request, response);
    if (closing) response.setHeader('Connection', 'close');
    next();
  });

  return {
    app,
    routes: routes as readonly Route[],
    /** A route that asks nobody who they are: public, or guarded by a signature in its URL. */
    open<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
      route: Route<P, Q, B>,
      handler: Handler<P, Q, B, Context>,
    ): void {
      if (route.access !== 'public' && route.access !== 'signed-url') throw new Error(`${route.path} is not open`);
      add(route, async (request, response) => {
        const input = await inputOf(route, request, response);
        return handler(input, contextOf(request, response, undefined));
      });
    },
    /** A route for those who may: who calls is known, and has the route's permission, before anything is read. */
    guarded<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
      route: Route<P, Q, B>,
      handler: Handler<P, Q, B, UserContext>,
    ): void {
      const { access } = route;
      if (access === 'public' || access === 'signed-url') throw new Error(`${route.path} is open`);
      add(route, async (request, response) => {
        const caller = await deps.authenticate(request, String(response.locals.requestId));
        response.locals.userId = caller.userId;
        if (access !== 'user' && !can(caller, access)) throw forbidden();
        const input = await inputOf(route, request, response);
        return handler(input, contextOf(request, response, caller));
      });
    },
    /** To be called once every route is there. */
    finish(): Express {
      app.use((request: Request) => {
        throw notFound(`${request.method} ${request.path.slice(0, 200)}`);
      });
      app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
        const { status, body, headers, unexpected } = httpError(error, request.path);
        const log = requestLog(deps.log, response);
        if (unexpected) log.error({ err: error }, 'request failed');
        else if (status === 503) log.warn({ err: error }, 'what this needs is not available');
        if (response.headersSent) response.destroy();
        else response.status(status).set(headers).json(body);
      });
      return app;
    },
    /** Wakes every request that waits, so that it is answered now. */
    close() {
      closing = true;
      for (const controller of live) controller.abort();
    },
  };
}
export type Http = ReturnType<typeof createHttp>;

/** Goes into links, so that a header which is no host and port is refused rather than passed on. */
function hostOf({ headers: { host = 'localhost' } }: Request): string {
  if (/^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/.test(host)) return host;
  throw new ServiceError('invalid', 'The Host header is no host name with an optional port');
}

const requestLog = (log: Logger, response: Response) => log.child({ requestId: response.locals.requestId });

/** Gives the request its id and, when it is answered, a log line and its place in the metrics. */
function observe({ log, metrics }: HttpDependencies, request: Request, response: Response): void {
  const began = process.hrtime.bigint();
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
  response.locals.requestId = requestId;
  response.setHeader('X-Request-Id', requestId);
  response.setHeader('Cache-Control', 'no-store');
  // Answers are data: no browser guesses that one is a page, runs anything in it, or frames it.
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  response.once('close', () => {
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    const route = typeof response.locals.route === 'string' ? response.locals.route : 'none';
    const status = response.writableFinished ? response.statusCode : 499;
    metrics.observeRequest({ method: request.method, route, status }, seconds);
    const level = quiet.test(request.path) && status < 400 ? 'debug' : 'info';
    if (!log.isLevelEnabled(level)) return;
    const { userId } = response.locals;
    log[level](
      {
        requestId,
        method: request.method,
        route,
        path: request.path,
        status,
        ms: Math.round(seconds * 1e4) / 10,
        userId,
      },
      'request',
    );
  });
}
