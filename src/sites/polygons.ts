import { type Caller, isAdmin } from '../accounts/caller.js';
import { notFound } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import { type PageQuery, toPage, toPageArguments } from '../database/page.js';

export type SitesDatabase = Pick<Database, 'prisma'>;

/** Returns Prisma's condition for rows visible to the caller: own rows, or every row for an administrator. */
export const visibleTo = (caller: Caller) => (isAdmin(caller) ? {} : { user_id: caller.userId });

/** Returns the polygon. Throws `not_found` also for a polygon of another user, because ids must reveal nothing. */
export async function getPolygon({ prisma }: SitesDatabase, id: number, caller: Caller) {
  const polygon = await prisma.polygon.findFirst({ where: { id, ...visibleTo(caller) } });
  if (!polygon) throw notFound(`Polygon ${id}`);
  return polygon;
}

export async function listPolygons({ prisma }: SitesDatabase, query: PageQuery, caller: Caller) {
  return toPage(await prisma.polygon.findMany(toPageArguments(visibleTo(caller), query)), query);
}

export const createPolygon = ({ prisma }: SitesDatabase, polygon: object, caller: Caller) =>
  prisma.polygon.create({ data: { polygon, user_id: caller.userId } });

export async function updatePolygon(database: SitesDatabase, id: number, polygon: object, caller: Caller) {
  await getPolygon(database, id, caller);
  return database.prisma.polygon.update({ where: { id }, data: { polygon } });
}

/** Removes the polygon, and by the foreign key's cascade the notes. */
export async function removePolygon(database: SitesDatabase, id: number, caller: Caller): Promise<void> {
  await getPolygon(database, id, caller);
  await database.prisma.polygon.deleteMany({ where: { id } });
}
