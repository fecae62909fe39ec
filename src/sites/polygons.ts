import { notFound } from '../contract/errors.js';
import type { Database } from '../database/database.js';

/** Whose things: `userId` undefined is everybody's, for an administrator. */
export interface Owner {
  userId: number;
  seesAll: boolean;
}

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
  const own = ({ userId, seesAll }: Owner) => (seesAll ? {} : { user_id: userId });

  const getPolygon = async (id: number, owner: Owner) => {
    const polygon = await prisma.polygon.findFirst({ where: { id, ...own(owner) } });
    if (!polygon) throw notFound(`Polygon ${id}`);
    return polygon;
  };
  const getNote = async (id: number, owner: Owner) => {
    const note = await prisma.polygonNote.findFirst({ where: { id, ...own(owner) } });
    if (!note) throw notFound(`Note ${id}`);
    return note;
  };

  return {
    getPolygon,
    async listPolygons(query: PageQuery, owner: Owner) {
      const { id, ...page } = pageArguments(query);
      const found = await prisma.polygon.findMany({ where: { ...own(owner), ...(id && { id }) }, ...page });
      return pageOf(found, query);
    },
    createPolygon: (polygon: object, userId: number) => prisma.polygon.create({ data: { polygon, user_id: userId } }),
    async updatePolygon(id: number, polygon: object, owner: Owner) {
      await getPolygon(id, owner);
      return prisma.polygon.update({ where: { id }, data: { polygon } });
    },
    async removePolygon(id: number, owner: Owner): Promise<void> {
      await getPolygon(id, owner);
      await prisma.polygon.deleteMany({ where: { id } });
    },
    async listNotes(query: PageQuery, owner: Owner) {
      const { id, ...page } = pageArguments(query);
      return pageOf(await prisma.polygonNote.findMany({ where: { ...own(owner), ...(id && { id }) }, ...page }), query);
    },
    /** Every note on a polygon that the caller may see. */
    async notesOfPolygon(polygonId: number, query: PageQuery, owner: Owner) {
      await getPolygon(polygonId, owner);
      const { id, ...page } = pageArguments(query);
      return pageOf(
        await prisma.polygonNote.findMany({ where: { polygon_id: polygonId, ...(id && { id }) }, ...page }),
        query,
      );
    },
    async createNote(content: string, polygonId: number, owner: Owner) {
      await getPolygon(polygonId, owner);
      return prisma.polygonNote.create({ data: { content, polygon_id: polygonId, user_id: owner.userId } });
    },
    async updateNote(id: number, content: string, owner: Owner) {
      await getNote(id, owner);
      return prisma.polygonNote.update({ where: { id }, data: { content } });
    },
    async removeNote(id: number, owner: Owner): Promise<void> {
      await getNote(id, owner);
      await prisma.polygonNote.deleteMany({ where: { id } });
    },
  };
}
export type Areas = ReturnType<typeof createAreas>;
