import cors, { type CorsOptions } from 'cors';
import type { Express, Request } from 'express';

const options: CorsOptions = {
  methods: 'GET, POST, PUT, DELETE',
  allowedHeaders: 'Authorization, Content-Type, X-API-Key, X-Request-Id',
  exposedHeaders: 'X-Request-Id, Retry-After, Content-Disposition',
  maxAge: 600,
};

/**
 * Lets pages of the allowed origins call the API from a browser, for example `https://app.example.org, http://localhost:3000`
 * or `*`. None by default. Never allows credentials, because the API takes no cookies.
 */
export function addCors(app: Express, allowedOrigins: string): void {
  const names = allowedOrigins.trim().split(/\s*,\s*/);
  const origins = new Set(names.filter(Boolean));
  if (origins.size === 0) return;
  app.use((_request, response, next) => {
    response.vary('Origin');
    next();
  });
  app.use(
    cors<Request>(({ headers }, decide) => {
      const { origin } = headers;
      const isAllowed = origin !== undefined && (origins.has('*') || origins.has(origin));
      const isPreflight = headers['access-control-request-method'] !== undefined;
      decide(null, isAllowed ? { ...options, origin, preflightContinue: !isPreflight } : { origin: false });
    }),
  );
}
