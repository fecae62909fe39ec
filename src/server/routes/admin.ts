import type { ServiceControl } from '../../aws/ecs-service.js';
import { adminRoutes } from '../../contract/admin.js';
import { orUnavailable, ServiceError } from '../../contract/errors.js';
import type { Http } from '../http/routes.js';

/** The ECS service that administrators watch and scale; undefined where the deployment has none. */
export function adminRoutesOn(http: Http, service: ServiceControl | undefined): void {
  const on = async <T>(act: (control: ServiceControl) => Promise<T>): Promise<T> => {
    if (!service) {
      throw new ServiceError(
        'not_found',
        'This deployment has no ECS service: ECS_CLUSTER_NAME and ECS_SERVICE_NAME are not set',
      );
    }
    return orUnavailable(() => act(service));
  };
  http.guarded(adminRoutes.status, () => on((control) => control.status()));
  http.guarded(adminRoutes.scale, ({ body }) => on((control) => control.scale(body.desiredCount)));
  http.guarded(adminRoutes.redeploy, () => on((control) => control.redeploy()));
}
