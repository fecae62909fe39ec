import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';
import { getRequestId } from './request-context.js';

/** Paths with many requests in a busy system, for example `/api/jobs/poll`: logged at debug level. */
const frequentPaths =
  /^\/(metrics|process|health|api\/(v1\/)?health|api\/ready|api\/jobs\/(poll|claim|demand|results|assign|assignments)|api\/capacity)/;

/** Gives each request an id and, once answered, a log line and an observation in the metrics. */
export function logRequests(log: Logger, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const startedAt = process.hrtime.bigint();
    response.locals.requestId = toRequestId(request.headers['x-request-id']);
    response.setHeader('X-Request-Id', getRequestId(response));
    response.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
      // 499: the caller hung up before the end of the answer.
      const status = response.writableFinished ? response.statusCode : 499;
      const route = typeof response.locals.route === 'string' ? response.locals.route : 'none';
      const { method, path } = request;
      metrics.observeRequest({ method, route, status }, seconds);
      const level = frequentPaths.test(path) && status < 400 ? 'debug' : 'info';
      if (!log.isLevelEnabled(level)) return;
      const ms = Math.round(seconds * 1e4) / 10;
      const { requestId, userId } = response.locals;
      log[level]({ requestId, method, route, path, status, ms, userId }, 'request');
    });
    next();
  };
}

/** Returns the caller's id when well-formed, for example `trace-7.a_B`; otherwise a new id. */
const toRequestId = (header: string | string[] | undefined): string =>
  typeof header === 'string' && /^[\w.-]{1,64}$/.test(header) ? header : randomUUID();
