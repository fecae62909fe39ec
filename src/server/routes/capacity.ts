import { readCapacityStatus, recordReport, releaseLease, takeLease } from '../../capacity/store.js';
import { capacityRoutes } from '../../contract/capacity.js';
import type { Database } from '../../database/database.js';
import type { Http } from '../http/routes.js';

export function addCapacityRoutes(http: Http, database: Database, now: () => number): void {
  http.guarded(capacityRoutes.lease, ({ body }) => takeLease(database, body.holder, body.ttlSeconds));
  http.guarded(capacityRoutes.release, ({ body, query }) => releaseLease(database, body?.holder ?? query.holder));
  http.guarded(capacityRoutes.snapshots, async ({ body: { lastError = null, ...report } }) => ({
    recorded: await recordReport(database, { ...report, lastError }, now()),
  }));
  http.guarded(capacityRoutes.status, () => readCapacityStatus(database));
}
