import type { ServiceControl } from '../../compute/service.js';
import { adminRoutes } from '../../contract/admin.js';
import { ServiceError, SetupError } from '../../contract/errors.js';
import type { Http } from '../http.js';

/** The ECS service that administrators watch and scale; undefined where the deployment has none. */
export function adminRoutesOn(http: Http, service: ServiceControl | undefined): void {
  const on = async <T>(act: (control: ServiceControl) => Promise<T>): Promise<T> => {
    if (!service) {
      throw new ServiceError(
        'not_found',
        'This deployment has no ECS service: ECS_CLUSTER_NAME and ECS_SERVICE_NAME are not set',
      );
    }
    try {
      return await act(service);
    } catch (cause) {
      if (!(cause instanceof SetupError)) throw cause;
      throw new ServiceError('unavailable', [cause.message, cause.hint].filter(Boolean).join('. '), { cause });
    }
  };
  http.guarded(adminRoutes.status, () => on((control) => control.status()));
  http.guarded(adminRoutes.scale, ({ body }) => on((control) => control.scale(body.desiredCount)));
  http.guarded(adminRoutes.redeploy, () => on((control) => control.redeploy()));
}
