import { describe, expect, it } from '@jest/globals';
import { toPage, toPageArguments } from '../../../src/database/page.js';

const rows = (...ids: number[]) => ids.map((id) => ({ id }));

describe('toPage', () => {
  it('shows the rows without a next cursor on the last page', () => {
    expect(toPage(rows(3, 2), { limit: 2 })).toEqual({ rows: rows(3, 2), nextCursor: null });
    expect(toPage([], { limit: 2 })).toEqual({ rows: [], nextCursor: null });
  });

  it('returns the id of the last shown row as the next cursor when a row is left', () => {
    expect(toPage(rows(3, 2, 1), { limit: 2 })).toEqual({ rows: rows(3, 2), nextCursor: '2' });
  });

  it('shows up to 100 rows by default', () => {
    expect(toPage(rows(...Array(101).keys()), {}).rows).toHaveLength(100);
  });
});

describe('toPageArguments', () => {
  it('takes one row more than the limit, newest first', () => {
    expect(toPageArguments({ user_id: 1 }, { limit: 2 })).toEqual({
      where: { user_id: 1 },
      orderBy: { id: 'desc' },
      take: 3,
    });
  });

  it('begins below the cursor', () => {
    expect(toPageArguments({ user_id: 1 }, { limit: 2, cursor: 7 }).where).toEqual({ user_id: 1, id: { lt: 7 } });
  });
});
