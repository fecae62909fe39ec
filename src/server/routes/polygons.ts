import { noteRoutes, polygonRoutes } from '../../contract/polygons.js';
import type { Areas } from '../../sites/polygons.js';
import type { Http } from '../http/routes.js';

export function polygonRoutesOn(http: Http, areas: Areas): void {
  http.guarded(polygonRoutes.list, async ({ query }, { caller }) => {
    const { rows: polygons, nextCursor } = await areas.listPolygons(query, caller);
    return { polygons, nextCursor };
  });
  http.guarded(polygonRoutes.get, async ({ params }, { caller }) => ({
    polygon: await areas.getPolygon(params.id, caller),
  }));
  http.guarded(polygonRoutes.create, async ({ body }, { caller }) => ({
    polygon: await areas.createPolygon(body.polygon, caller),
  }));
  http.guarded(polygonRoutes.update, async ({ params, body }, { caller }) => ({
    polygon: await areas.updatePolygon(params.id, body.polygon, caller),
  }));
  http.guarded(polygonRoutes.remove, ({ params }, { caller }) => areas.removePolygon(params.id, caller));
}

export function noteRoutesOn(http: Http, areas: Areas): void {
  http.guarded(noteRoutes.list, async ({ query }, { caller }) => {
    const { rows: notes, nextCursor } = await areas.listNotes(query, caller);
    return { notes, nextCursor };
  });
  http.guarded(noteRoutes.ofPolygon, async ({ params, query }, { caller }) => {
    const { rows: notes, nextCursor } = await areas.notesOfPolygon(params.polygonId, query, caller);
    return { notes, nextCursor };
  });
  http.guarded(noteRoutes.create, async ({ body }, { caller }) => ({
    note: await areas.createNote(body.content, body.polygonId, caller),
  }));
  http.guarded(noteRoutes.update, async ({ params, body }, { caller }) => ({
    note: await areas.updateNote(params.id, body.content, caller),
  }));
  http.guarded(noteRoutes.remove, ({ params }, { caller }) => areas.removeNote(params.id, caller));
}
