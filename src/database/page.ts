/** Query of a list in pages, newest first. `cursor` is the id of the last row of the page before. */
export interface PageQuery {
  limit?: number | undefined;
  cursor?: number | undefined;
}

export interface Page<Row> {
  rows: Row[];
  /** Text of the cursor for the next page, for example `"17"`; null on the last page. */
  nextCursor: string | null;
}

const defaultLimit = 100;

/** Returns Prisma's arguments for a page of the rows matching `where`, with an extra row for `toPage`. */
export const toPageArguments = <Where extends object>(where: Where, { limit = defaultLimit, cursor }: PageQuery) => ({
  where: cursor === undefined ? where : { ...where, id: { lt: cursor } },
  orderBy: { id: 'desc' as const },
  take: limit + 1,
});

/** Makes a page of up to `limit` rows. A row beyond `limit` is the sign of a next page. */
export function toPage<Row extends { id: number }>(rows: Row[], { limit = defaultLimit }: PageQuery): Page<Row> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown, nextCursor: rows.length > limit && last ? String(last.id) : null };
}
