import { seedServiceAccounts } from '../accounts/service-accounts.js';
import { isCurrent, readMigrationStatus, readMigrations } from '../database/migrations.js';
import type { ServiceDependencies } from './dependencies.js';
import { addExecutionApi } from './executions.js';
import { addCors } from './http/cors.js';
import { addDocs } from './http/docs.js';
import { Http, type HttpSettings } from './http/routes.js';
import { addAdminRoutes } from './routes/admin.js';
import { addApiKeyUserRoutes } from './routes/api-key-users.js';
import { addAuthRoutes } from './routes/auth.js';
import { addCapacityRoutes } from './routes/capacity.js';
import { addFileRoutes } from './routes/files.js';
import { addJobRoutes, addOneJobRoutes } from './routes/jobs.js';
import { addProcessorRoutes, type ProcessEvent } from './routes/processor.js';
import { addNoteRoutes, addPolygonRoutes } from './routes/sites.js';
import { addSystemRoutes } from './routes/system.js';
import { addUserRoutes } from './routes/users.js';
import { addWorkerRoutes } from './routes/workers.js';
import type { Services } from './services.js';

/** AWS delivers up to 6 MB in one event. */
const maxEventBytes = 8 * 1_048_576;

const toHttpSettings = (services: Services, deps: ServiceDependencies): HttpSettings => ({
  log: deps.log,
  metrics: services.metrics,
  authenticator: services.authenticator,
  publicUrl: deps.environment.PUBLIC_API_URL,
  maxRequestMs: deps.maxRequestMs,
});

/** Builds the API: every route of the contract but those of the event processor. */
export function createApi(services: Services, deps: ServiceDependencies): Http {
  const { environment, database } = deps;
  const http = new Http(toHttpSettings(services, deps));
  http.app.set('trust proxy', environment.TRUST_PROXY);
  addCors(http.app, environment.ALLOWED_ORIGINS);
  addSystemRoutes(http, {
    keys: deps.keys,
    metrics: services.metrics,
    isCurrent: async () => isCurrent(await readMigrationStatus(database.pool, await readMigrations())),
    seed: () => seedServiceAccounts(database, deps.serviceAccounts),
    provider: deps.provider,
    region: deps.provider === 'ecs' ? environment.AWS_REGION : undefined,
  });
  addAuthRoutes(http, services.sessions);
  addUserRoutes(http, database);
  addApiKeyUserRoutes(http, database);
  addExecutionApi(http, services.executions);
  addPolygonRoutes(http, database);
  addNoteRoutes(http, database);
  addFileRoutes(http, deps.localStorage, deps.signer);
  addWorkerRoutes(http, services.jobs, services.metrics);
  addJobRoutes(http, services.jobs);
  addOneJobRoutes(http, services.jobs);
  addCapacityRoutes(http, database, deps.now);
  addAdminRoutes(http, deps.ecsService);
  addDocs(http.app);
  return http;
}

export function createProcessor(services: Services, deps: ServiceDependencies, processEvent: ProcessEvent): Http {
  const http = new Http({ ...toHttpSettings(services, deps), maxBodyBytes: maxEventBytes });
  addProcessorRoutes(http, processEvent, deps.environment.PROCESSOR_TOKEN);
  return http;
}
