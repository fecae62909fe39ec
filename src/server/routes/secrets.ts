import { mayDo } from '../../accounts/permissions.js';
import { secretRoutes } from '../../contract/secrets.js';
import type { Secrets } from '../../executions/secrets/secrets.js';
import type { Http } from '../http/routes.js';

export function secretRoutesOn(http: Http, secrets: Secrets): void {
  http.guarded(secretRoutes.list, async () => {
    const all = await secrets.list();
    return { secrets: all, total: all.length };
  });
  http.guarded(secretRoutes.create, async ({ body }, { principal, requestId }) => {
    await secrets.create(body, { userId: principal.userId, requestId });
    return { name: body.name, message: 'Stored' };
  });
  http.guarded(secretRoutes.get, async ({ params }, { principal, response }) => {
    response.setHeader('Cache-Control', 'no-store');
    const readsAll = mayDo(principal.roles, 'secrets:read');
    return { secret: await secrets.read(params.name, { userId: principal.userId, readsAll }) };
  });
  http.guarded(secretRoutes.update, async ({ params, body }, { requestId }) => {
    await secrets.update(params.name, body, requestId);
    return { name: params.name, message: 'Changed' };
  });
  http.guarded(secretRoutes.remove, async ({ params }) => {
    await secrets.remove(params.name);
    return { name: params.name, message: 'Removed' };
  });
}
