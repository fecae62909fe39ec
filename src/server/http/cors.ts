import type { Express } from 'express';

/** Lets pages of the given origins (comma-separated, or `*`) call the API from a browser. None by default. */
export function corsOn(app: Express, allowed: string): void {
  const origins = new Set(
    allowed
      .split(',')
      .map((origin) => origin.trim())
      .filter(Boolean),
  );
  if (origins.size === 0) return;
  app.use((request, response, next) => {
    const { origin } = request.headers;
    response.vary('Origin');
    if (origin !== undefined && (origins.has('*') || origins.has(origin))) {
      response.set({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Expose-Headers': 'X-Request-Id, Retry-After, Content-Disposition',
      });
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
        response.set({
          'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
          'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-API-Key, X-Request-Id',
          'Access-Control-Max-Age': '600',
        });
        response.status(204).end();
        return;
      }
    }
    next();
  });
}
