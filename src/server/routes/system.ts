import { type SigningKeys, toJwkSet } from '../../accounts/signing-keys.js';
import { ServiceError } from '../../contract/errors.js';
import { systemRoutes } from '../../contract/system.js';
import type { Metrics } from '../http/metrics.js';
import { createOpenApi } from '../http/openapi.js';
import type { Http } from '../http/routes.js';
import { version } from '../version.js';

export interface SystemDependencies {
  keys: SigningKeys;
  metrics: Metrics;
  /** Returns false while the database lacks migrations; throws when the database does not answer. */
  isCurrent(): Promise<boolean>;
  /** Seeds the service accounts and returns their e-mail addresses. */
  seed(): Promise<string[]>;
  /** Platform that runs tasks: `local` or `ecs`. */
  provider: string;
  region: string | undefined;
}

export function addSystemRoutes(http: Http, deps: SystemDependencies): void {
  let document: ReturnType<typeof createOpenApi> | undefined;
  http.open(systemRoutes.root, () => ({ name: 'reefguide', version }));
  http.open(systemRoutes.health, () => ({ status: 'ok' }));
  http.open(systemRoutes.ready, async () => {
    if (await deps.isCurrent()) return { status: 'ok' };
    throw new ServiceError('unavailable', 'The database lacks migrations: run reefguide db migrate');
  });
  http.open(systemRoutes.jwks, () => toJwkSet(deps.keys));
  http.open(systemRoutes.openapi, () => {
    document ??= createOpenApi(http.routes, version);
    return document;
  });
  http.open(systemRoutes.metrics, async (_, { response }) => {
    response.setHeader('Content-Type', deps.metrics.contentType);
    response.send(await deps.metrics.text());
  });
  http.open(systemRoutes.orchestratorHealth, () => ({
    status: 'ok',
    version,
    provider: deps.provider,
    ...(deps.region ? { region: deps.region } : {}),
  }));
  http.guarded(systemRoutes.init, async () => ({ seeded: await deps.seed() }));
}
