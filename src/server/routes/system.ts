import { jwkSet, type SigningKeys } from '../../accounts/signing-keys.js';
import { ServiceError } from '../../contract/errors.js';
import { systemRoutes } from '../../contract/system.js';
import type { Metrics } from '../http/metrics.js';
import { createOpenApi } from '../http/openapi.js';
import type { Http } from '../http/routes.js';
import { version } from '../version.js';

export interface SystemDependencies {
  keys: SigningKeys;
  metrics: Metrics;
  /** Whether the database answers and has every migration; throws when it does not answer. */
  isCurrent(): Promise<boolean>;
  seed(): Promise<string[]>;
  /** Where tasks run: `local` or `ecs`. */
  provider: string;
  region: string | undefined;
}

export function systemRoutesOn(http: Http, deps: SystemDependencies): void {
  let document: ReturnType<typeof createOpenApi> | undefined;
  http.open(systemRoutes.root, () => ({ name: 'reefguide', version }));
  http.open(systemRoutes.health, () => ({ status: 'ok' }));
  http.open(systemRoutes.ready, async () => {
    if (await deps.isCurrent()) return { status: 'ok' };
    throw new ServiceError('unavailable', 'The database lacks migrations: run reefguide db migrate');
  });
  http.open(systemRoutes.jwks, () => jwkSet(deps.keys));
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
