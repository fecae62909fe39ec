import { polygonRoutes } from '../../contract/polygons.js';
import {
  createPolygon,
  getPolygon,
  listPolygons,
  removePolygon,
  type SitesDatabase,
  updatePolygon,
} from '../../sites/polygons.js';
import type { Http } from '../http/routes.js';

export function addPolygonRoutes(http: Http, database: SitesDatabase): void {
  http.guarded(polygonRoutes.list, async ({ query }, { caller }) => {
    const { rows: polygons, nextCursor } = await listPolygons(database, query, caller);
    return { polygons, nextCursor };
  });
  http.guarded(polygonRoutes.get, async ({ params }, { caller }) => ({
    polygon: await getPolygon(database, params.id, caller),
  }));
  http.guarded(polygonRoutes.create, async ({ body }, { caller }) => ({
    polygon: await createPolygon(database, body.polygon, caller),
  }));
  http.guarded(polygonRoutes.update, async ({ params, body }, { caller }) => ({
    polygon: await updatePolygon(database, params.id, body.polygon, caller),
  }));
  http.guarded(polygonRoutes.remove, ({ params }, { caller }) => removePolygon(database, params.id, caller));
}
