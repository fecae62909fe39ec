import { isAdmin } from '../../accounts/permissions.js';
import { noteRoutes, polygonRoutes } from '../../contract/polygons.js';
import type { Areas, Owner } from '../../sites/polygons.js';
import type { Http, UserContext } from '../http/routes.js';

const ownerOf = ({ principal }: UserContext): Owner => ({ userId: principal.userId, seesAll: isAdmin(principal) });

export function polygonRoutesOn(http: Http, areas: Areas): void {
  http.guarded(polygonRoutes.list, async ({ query }, context) => {
    const { rows: polygons, nextCursor } = await areas.listPolygons(query, ownerOf(context));
    return { polygons, nextCursor };
  });
  http.guarded(polygonRoutes.get, async ({ params }, context) => ({
    polygon: await areas.getPolygon(params.id, ownerOf(context)),
  }));
  http.guarded(polygonRoutes.create, async ({ body }, { principal }) => ({
    polygon: await areas.createPolygon(body.polygon, principal.userId),
  }));
  http.guarded(polygonRoutes.update, async ({ params, body }, context) => ({
    polygon: await areas.updatePolygon(params.id, body.polygon, ownerOf(context)),
  }));
  http.guarded(polygonRoutes.remove, ({ params }, context) => areas.removePolygon(params.id, ownerOf(context)));
}

export function noteRoutesOn(http: Http, areas: Areas): void {
  http.guarded(noteRoutes.list, async ({ query }, context) => {
    const { rows: notes, nextCursor } = await areas.listNotes(query, ownerOf(context));
    return { notes, nextCursor };
  });
  http.guarded(noteRoutes.ofPolygon, async ({ params, query }, context) => {
    const { rows: notes, nextCursor } = await areas.notesOfPolygon(params.polygonId, query, ownerOf(context));
    return { notes, nextCursor };
  });
  http.guarded(noteRoutes.create, async ({ body }, context) => ({
    note: await areas.createNote(body.content, body.polygonId, ownerOf(context)),
  }));
  http.guarded(noteRoutes.update, async ({ params, body }, context) => ({
    note: await areas.updateNote(params.id, body.content, ownerOf(context)),
  }));
  http.guarded(noteRoutes.remove, ({ params }, context) => areas.removeNote(params.id, ownerOf(context)));
}
