import type { Caller } from '../accounts/caller.js';
import { notFound } from '../contract/errors.js';
import { type PageQuery, toPage, toPageArguments } from '../database/page.js';
import { getPolygon, type SitesDatabase, visibleTo } from './polygons.js';

async function requireNote({ prisma }: SitesDatabase, id: number, caller: Caller): Promise<void> {
  const note = await prisma.polygonNote.findFirst({ where: { id, ...visibleTo(caller) } });
  if (!note) throw notFound(`Note ${id}`);
}

export async function listNotes({ prisma }: SitesDatabase, query: PageQuery, caller: Caller) {
  return toPage(await prisma.polygonNote.findMany(toPageArguments(visibleTo(caller), query)), query);
}

/** Lists the notes of every author on a polygon visible to the caller. */
export async function listPolygonNotes(database: SitesDatabase, polygonId: number, query: PageQuery, caller: Caller) {
  await getPolygon(database, polygonId, caller);
  const notes = await database.prisma.polygonNote.findMany(toPageArguments({ polygon_id: polygonId }, query));
  return toPage(notes, query);
}

export async function createNote(database: SitesDatabase, content: string, polygonId: number, caller: Caller) {
  await getPolygon(database, polygonId, caller);
  return database.prisma.polygonNote.create({ data: { content, polygon_id: polygonId, user_id: caller.userId } });
}

export async function updateNote(database: SitesDatabase, id: number, content: string, caller: Caller) {
  await requireNote(database, id, caller);
  return database.prisma.polygonNote.update({ where: { id }, data: { content } });
}

export async function removeNote(database: SitesDatabase, id: number, caller: Caller): Promise<void> {
  await requireNote(database, id, caller);
  await database.prisma.polygonNote.deleteMany({ where: { id } });
}
