import type { RequestHandler } from 'express';
import helmet, { type HelmetOptions } from 'helmet';

/**
 * Headers of every answer. Strict-Transport-Security stays off, because a laptop serves plain HTTP and TLS ends at a proxy.
 * Cross-origin use is open, because access needs a token or a signed URL, never a cookie.
 */
const common: HelmetOptions = {
  strictTransportSecurity: false,
  crossOriginResourcePolicy: { policy: 'cross-origin' },
  xFrameOptions: { action: 'deny' },
};

/** Answers are data: a browser neither guesses another type, nor runs scripts of an answer, nor frames an answer. */
export const dataHeaders: RequestHandler = helmet({
  ...common,
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
});

/** The pages of `/api/docs` run scripts of the API's origin, call the API, and load nothing from elsewhere. */
export const docsHeaders: RequestHandler = helmet({
  ...common,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});
