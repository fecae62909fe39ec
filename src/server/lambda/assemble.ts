import type { Logger } from 'pino';
import { createAws } from '../../aws/clients.js';
import { withServiceSecrets } from '../../aws/service-secrets.js';
import { parseEnvironment, serverEnvironment } from '../../environment/server.js';
import { createErrorReporter } from '../../platform/error-reports.js';
import { createLog } from '../../platform/log.js';
import { type Assembled, assemble } from '../assemble.js';

/** API Gateway gives up on a request after 29 s: what waits is answered before. */
const holdMs = 20_000;
/** One instance serves one request at a time. */
const poolSize = '4';

export interface OnLambda extends Assembled {
  log: Logger;
}

/** The service in an instance of AWS Lambda, from the environment and the secrets that it names. */
export async function assembleOnLambda(): Promise<OnLambda> {
  // The one proxy is the gateway of gateway.ts, which says the caller's address.
  const env = { NODE_ENV: 'production', DATABASE_POOL_SIZE: poolSize, ...process.env, TRUST_PROXY: '1' };
  const environment = parseEnvironment(serverEnvironment, await withServiceSecrets(env, createAws()));
  const log = createLog(environment.LOG_LEVEL, {
    errorReporter: await createErrorReporter(environment.SENTRY_DSN, 'api'),
  });
  return { ...(await assemble({ environment, home: '/tmp/reefguide', log, holdMs })), log };
}

/** What `make` gives, made once; after a failure the next call makes it anew. */
export function onceMade<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
