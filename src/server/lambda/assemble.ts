import type { Logger } from 'pino';
import { type Assembled, assemble } from '../assemble.js';
import { prepareServer } from '../prepare.js';

/** Below the 29 s of API Gateway's own time-out. */
const maxRequestMs = 20_000;
/** An instance of a function serves one request at a time. */
const poolSize = '4';

/** Assembles the service in an instance of AWS Lambda, from the environment and its secrets. */
export async function assembleOnLambda(): Promise<Assembled & { log: Logger }> {
  // The adapter in api-gateway.ts is the trusted proxy: its X-Forwarded-For holds the caller's address.
  const env = { NODE_ENV: 'production', DATABASE_POOL_SIZE: poolSize, ...process.env, TRUST_PROXY: '1' };
  const { environment, log } = await prepareServer(env);
  return { ...(await assemble({ environment, home: '/tmp/reefguide', log, maxRequestMs })), log };
}

/** Returns a function that calls `create` once and shares the result. After a failure the next call tries again. */
export function shareResult<T>(create: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= create().catch((error: unknown) => {
      result = undefined;
      throw error;
    });
    return result;
  };
}
