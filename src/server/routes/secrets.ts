import { secretRoutes } from '../../contract/secrets.js';
import type { Secrets } from '../../executions/secrets/secrets.js';
import type { Http } from '../http/routes.js';

export function secretRoutesOn(http: Http, secrets: Secrets): void {
  http.guarded(secretRoutes.list, async () => {
    const all = await secrets.list();
    return { secrets: all, total: all.length };
  });
  http.guarded(secretRoutes.create, async ({ body }, { caller }) => {
    await secrets.create(body, caller);
    return { name: body.name, message: 'Stored' };
  });
  http.guarded(secretRoutes.get, async ({ params }, { caller, response }) => {
    response.setHeader('Cache-Control', 'no-store');
    return { secret: await secrets.read(params.name, caller) };
  });
  http.guarded(secretRoutes.update, async ({ params, body }, { caller }) => {
    await secrets.update(params.name, body, caller);
    return { name: params.name, message: 'Changed' };
  });
  http.guarded(secretRoutes.remove, async ({ params }) => {
    await secrets.remove(params.name);
    return { name: params.name, message: 'Removed' };
  });
}
