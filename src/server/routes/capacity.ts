import type { CapacityStore } from '../../capacity/store.js';
import { capacityRoutes } from '../../contract/capacity.js';
import type { Http } from '../http/routes.js';

export function addCapacityRoutes(http: Http, capacity: CapacityStore): void {
  http.guarded(capacityRoutes.lease, ({ body }) => capacity.take(body.holder, body.ttlSeconds));
  http.guarded(capacityRoutes.release, ({ body, query }) => capacity.release(body?.holder ?? query.holder));
  http.guarded(capacityRoutes.snapshots, async ({ body }) => ({
    recorded: await capacity.report(body.holder, body.groups, body.lastError ?? null),
  }));
  http.guarded(capacityRoutes.status, () => capacity.status());
}
