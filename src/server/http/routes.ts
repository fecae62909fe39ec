import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { z } from 'zod';
import type { Authenticator } from '../../accounts/authenticate.js';
import { type Caller, can } from '../../accounts/caller.js';
import { forbidden, notFound } from '../../contract/errors.js';
import type { Route } from '../../contract/route.js';
import { AbortableRequests } from './abortable-requests.js';
import { toHttpError } from './errors.js';
import { createBodyReader, type Input, type ReadBody, readInput } from './input.js';
import type { Metrics } from './metrics.js';
import { createRequestLogger, getRequestId, RequestContext, type RequestSettings } from './request-context.js';
import { logRequests } from './request-log.js';
import { dataHeaders } from './security-headers.js';

/** Answers a request: returns the body, or undefined for an empty answer or after writing to `response` directly. */
export type Handler<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, C extends Caller | undefined> = (
  input: Input<P, Q, B>,
  context: RequestContext<C>,
) => unknown;

export interface HttpSettings extends Pick<RequestSettings, 'log' | 'publicUrl'> {
  metrics: Metrics;
  authenticator: Authenticator;
  /** Longest wait of a request; undefined: as long as the request asks for. */
  maxRequestMs?: number | undefined;
  /** Largest body in bytes; 1 MiB unless set. */
  maxBodyBytes?: number;
}

/** Binds routes of the contract to handlers on an Express app. */
export class Http {
  readonly app: Express = express();
  /** The routes bound so far, for the OpenAPI document. */
  readonly routes: Route[] = [];
  private readonly abortable: AbortableRequests;
  private readonly readBody: ReadBody;

  constructor(private readonly settings: HttpSettings) {
    this.abortable = new AbortableRequests(settings.maxRequestMs);
    this.readBody = createBodyReader(settings.maxBodyBytes);
    this.app.disable('x-powered-by');
    this.app.disable('etag');
    this.app.set('query parser', 'simple');
    this.app.use(logRequests(settings.log, settings.metrics), dataHeaders, (_request, response, next) => {
      response.setHeader('Cache-Control', 'no-store');
      if (this.abortable.isStopping) response.setHeader('Connection', 'close');
      next();
    });
  }

  /** Binds a route without authentication: public, or guarded by a signature in the URL. */
  open<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
    route: Route<P, Q, B>,
    handler: Handler<P, Q, B, undefined>,
  ): void {
    if (route.access !== 'public' && route.access !== 'signed-url') throw new Error(`${route.path} is not open`);
    this.bind(route, async (request, response) => {
      const input = await readInput(route, request, response, this.readBody);
      return handler(input, this.createContext(request, response, undefined));
    });
  }

  /** Binds a route that authenticates the caller and checks the route's permission before reading any input. */
  guarded<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
    route: Route<P, Q, B>,
    handler: Handler<P, Q, B, Caller>,
  ): void {
    const { access } = route;
    if (access === 'public' || access === 'signed-url') throw new Error(`${route.path} is open`);
    this.bind(route, async (request, response) => {
      const caller = await this.settings.authenticator.authenticate(request, getRequestId(response));
      response.locals.userId = caller.userId;
      if (access !== 'user' && !can(caller, access))
        throw forbidden(`Missing permission ${access}: ask an administrator for a role with this permission`);
      const input = await readInput(route, request, response, this.readBody);
      return handler(input, this.createContext(request, response, caller));
    });
  }

  /** Adds the answers for unknown paths and for errors. Call last, once every route is bound. */
  finish(): Express {
    this.app.use((request: Request) => {
      throw notFound(`${request.method} ${request.path.slice(0, 200)}`);
    });
    this.app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
      const { status, body, headers, unexpected } = toHttpError(error, request.path);
      const log = createRequestLogger(this.settings.log, response);
      if (unexpected) log.error({ err: error }, 'request failed');
      else if (status === 503) log.warn({ err: error }, 'request failed: a dependency is unavailable');
      if (response.headersSent) response.destroy();
      else response.status(status).set(headers).json(body);
    });
    return this.app;
  }

  /** Answers every waiting request, because the server stops. */
  close(): void {
    this.abortable.abortAll();
  }

  private bind(route: Route, serve: (request: Request, response: Response) => Promise<unknown>): void {
    this.routes.push(route);
    const status = Number(Object.keys(route.responses).find((code) => code.startsWith('2')) ?? 200);
    this.app[route.method](route.path, async (request: Request, response: Response) => {
      response.locals.route = route.path;
      const body = await serve(request, response);
      if (response.headersSent || response.destroyed) return;
      if (body === undefined) response.status(status).end();
      else response.status(status).json(body);
    });
  }

  private createContext<C extends Caller | undefined>(request: Request, response: Response, caller: C) {
    const { log, publicUrl } = this.settings;
    return new RequestContext(request, response, caller, { log, publicUrl, abortable: this.abortable });
  }
}
