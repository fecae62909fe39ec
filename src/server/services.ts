import { checkApiKeyRoles } from '../accounts/api-keys.js';
import { AttemptLimiter } from '../accounts/attempt-limits.js';
import { Authenticator } from '../accounts/authenticate.js';
import { Sessions } from '../accounts/sessions.js';
import { PostgresNotifications } from '../database/notifications.js';
import { countLiveExecutions } from '../executions/runs/sql.js';
import { createJobs } from '../jobs/jobs.js';
import type { ServiceDependencies } from './dependencies.js';
import { createExecutionServices } from './executions.js';
import { Metrics } from './http/metrics.js';

/** Builds what routes, the event processor and background work share. */
export function createServices(deps: ServiceDependencies) {
  const { environment, log, database, storages, types, now } = deps;
  const onError = (error: unknown) => log.warn({ err: error }, 'background work failed and will be retried');
  const notifications = new PostgresNotifications({ database, listenUrl: deps.listenUrl, onError });
  const tokens = { keys: deps.keys, issuer: environment.JWT_ISSUER, expiresInSeconds: environment.JWT_EXPIRES_IN };
  const jobs = createJobs({ database, notifications, storages, types, now, onError });
  const checkAccounts = () => checkApiKeyRoles(database);
  const executions = createExecutionServices({ ...deps, notifications, onError, checkAccounts });
  const metrics = new Metrics({
    database,
    countWaitingClaims: () => jobs.claims.countWaiting(),
    countLiveExecutions: () => countLiveExecutions(database),
    countLogSubscribers: () => executions.feeds.countSubscribers(),
    now,
  });
  const sessions = new Sessions(database, new AttemptLimiter(database, deps.limits), {
    tokens,
    refreshExpiresInSeconds: environment.REFRESH_TOKEN_EXPIRES_IN,
    now,
  });
  const authenticator = new Authenticator(database, tokens, now);
  return { onError, notifications, jobs, executions, metrics, sessions, authenticator };
}
export type Services = ReturnType<typeof createServices>;
