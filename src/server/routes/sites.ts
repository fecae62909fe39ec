import { noteRoutes, polygonRoutes } from '../../contract/polygons.js';
import { createNote, listNotes, listPolygonNotes, removeNote, updateNote } from '../../sites/notes.js';
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

export function addNoteRoutes(http: Http, database: SitesDatabase): void {
  http.guarded(noteRoutes.list, async ({ query }, { caller }) => {
    const { rows: notes, nextCursor } = await listNotes(database, query, caller);
    return { notes, nextCursor };
  });
  http.guarded(noteRoutes.listForPolygon, async ({ params, query }, { caller }) => {
    const { rows: notes, nextCursor } = await listPolygonNotes(database, params.polygonId, query, caller);
    return { notes, nextCursor };
  });
  http.guarded(noteRoutes.create, async ({ body }, { caller }) => ({
    note: await createNote(database, body.content, body.polygonId, caller),
  }));
  http.guarded(noteRoutes.update, async ({ params, body }, { caller }) => ({
    note: await updateNote(database, params.id, body.content, caller),
  }));
  http.guarded(noteRoutes.remove, ({ params }, { caller }) => removeNote(database, params.id, caller));
}
