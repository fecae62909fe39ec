import { type Caller, isAdmin } from '../accounts/caller.js';
import { notFound } from '../contract/errors.js';
import type { Database } from '../database/database.js';

interface PageQuery {
  limit?: number | undefined;
  cursor?: number | undefined;
}

const pageSize = 100;

/** The arguments of a page, newest first; a cursor is the id of the last row seen. */
function pageArguments({ limit = pageSize, cursor }: PageQuery) {
  return { take: limit + 1, orderBy: { id: 'desc' as const }, id: cursor === undefined ? undefined : { lt: cursor } };
}

function pageOf<T extends { id: number }>(rows: T[], { limit = pageSize }: PageQuery) {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown, nextCursor: rows.length > limit && last ? String(last.id) : null };
}

/** Polygons and the notes on them: each belongs to a user, and an administrator sees all. */
export function createAreas({ prisma }: Pick<Database, 'prisma'>) {
  const own = (caller: Caller) => (isAdmin(caller) ? {} : { user_id: caller.userId });

  const getPolygon = async (id: number, caller: Caller) => {
    const polygon = await prisma.polygon.findFirst({ where: { id, ...own(caller) } });
    if (!polygon) throw notFound(`Polygon ${id}`);
    return polygon;
  };
  const getNote = async (id: number, caller: Caller) => {
    const note = await prisma.polygonNote.findFirst({ where: { id, ...own(caller) } });
    if (!note) throw notFound(`Note ${id}`);
    return note;
  };

  return {
    getPolygon,
    async listPolygons(query: PageQuery, caller: Caller) {
      const { id, ...page } = pageArguments(query);
      const found = await prisma.polygon.findMany({ where: { ...own(caller), ...(id && { id }) }, ...page });
      return pageOf(found, query);
    },
    createPolygon: (polygon: object, caller: Caller) =>
      prisma.polygon.create({ data: { polygon, user_id: caller.userId } }),
    async updatePolygon(id: number, polygon: object, caller: Caller) {
      await getPolygon(id, caller);
      return prisma.polygon.update({ where: { id }, data: { polygon } });
    },
    async removePolygon(id: number, caller: Caller): Promise<void> {
      await getPolygon(id, caller);
      await prisma.polygon.deleteMany({ where: { id } });
    },
    async listNotes(query: PageQuery, caller: Caller) {
      const { id, ...page } = pageArguments(query);
      return pageOf(
        await prisma.polygonNote.findMany({ where: { ...own(caller), ...(id && { id }) }, ...page }),
        query,
      );
    },
    /** Every note on a polygon that the caller may see. */
    async notesOfPolygon(polygonId: number, query: PageQuery, caller: Caller) {
      await getPolygon(polygonId, caller);
      const { id, ...page } = pageArguments(query);
      return pageOf(
        await prisma.polygonNote.findMany({ where: { polygon_id: polygonId, ...(id && { id }) }, ...page }),
        query,
      );
    },
    async createNote(content: string, polygonId: number, caller: Caller) {
      await getPolygon(polygonId, caller);
      return prisma.polygonNote.create({ data: { content, polygon_id: polygonId, user_id: caller.userId } });
    },
    async updateNote(id: number, content: string, caller: Caller) {
      await getNote(id, caller);
      return prisma.polygonNote.update({ where: { id }, data: { content } });
    },
    async removeNote(id: number, caller: Caller): Promise<void> {
      await getNote(id, caller);
      await prisma.polygonNote.deleteMany({ where: { id } });
    },
  };
}
export type Areas = ReturnType<typeof createAreas>;
