import { noteRoutes } from '../../contract/polygons.js';
import { createNote, listNotes, listPolygonNotes, removeNote, updateNote } from '../../sites/notes.js';
import type { SitesDatabase } from '../../sites/polygons.js';
import type { Http } from '../http/routes.js';

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
