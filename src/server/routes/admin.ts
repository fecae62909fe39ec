import type { ServiceControl } from '../../aws/ecs-service.js';
import { adminRoutes } from '../../contract/admin.js';
import { orUnavailable, ServiceError } from '../../contract/errors.js';
import type { Http } from '../http/routes.js';

/** Binds the routes of the ECS service for administrators; without `service` each answers 404. */
export function addAdminRoutes(http: Http, service: ServiceControl | undefined): void {
  const withService = async <T>(act: (service: ServiceControl) => Promise<T>): Promise<T> => {
    const message = 'This deployment has no ECS service: set ECS_CLUSTER_NAME and ECS_SERVICE_NAME';
    if (!service) throw new ServiceError('not_found', message);
    return orUnavailable(() => act(service));
  };
  http.guarded(adminRoutes.status, () => withService((ecs) => ecs.status()));
  http.guarded(adminRoutes.scale, ({ body }) => withService((ecs) => ecs.scale(body.desiredCount)));
  http.guarded(adminRoutes.redeploy, () => withService((ecs) => ecs.redeploy()));
}
