import type { RequestLog } from '../audit/request-log.js';
import { createAws } from '../aws/clients.js';
import { withServiceSecrets } from '../aws/service-secrets.js';
import { serverEnvironment } from '../environment/server.js';
import { parseEnvironment } from '../environment/variables.js';
import { createErrorReporter } from '../platform/error-reports.js';
import { createLog } from '../platform/log.js';

/** Reads the environment and the secrets in AWS, and opens the log on stderr. `requestLog` gets each log line too. */
export async function prepareServer(env: NodeJS.ProcessEnv, requestLog?: RequestLog) {
  const aws = createAws({ region: env.AWS_REGION });
  const environment = parseEnvironment(serverEnvironment, await withServiceSecrets(env, aws));
  const errorReporter = await createErrorReporter(environment.SENTRY_DSN, 'api');
  return { environment, errorReporter, log: createLog(environment.LOG_LEVEL, { errorReporter, sink: requestLog }) };
}
