import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { createNote, createPolygon } from '../../support/sites.js';

let system: TestService;
let admin: TestCaller;
let user: TestCaller;
beforeAll(async () => {
  system = await startTestService();
  [admin, user] = [await system.as('ADMIN'), await system.as()];
});
afterAll(() => system.close());

describe('note', () => {
  it('is created, updated and removed', async () => {
    const { id } = await createPolygon(user);
    const note = await createNote(user, id);
    expect(note).toMatchObject({ content: 'shallow here', user_id: user.userId, polygon_id: id });
    expect((await user.put(`/api/notes/${note.id}`, { content: 'deep' })).body.note.content).toBe('deep');
    expect((await user.delete(`/api/notes/${note.id}`)).status).toBe(204);
    expect((await user.get(`/api/notes/${id}`)).body.notes).toEqual([]);
  });

  it('is visible, but not changeable, to the owner of the polygon when an administrator wrote the note', async () => {
    const { id } = await createPolygon(user);
    const note = await createNote(admin, id, 'please check');
    expect((await user.get(`/api/notes/${id}`)).body.notes).toEqual([note]);
    expect((await user.put(`/api/notes/${note.id}`, { content: 'no' })).status).toBe(404);
  });

  it.each([
    ['empty content', { content: '', polygonId: 1 }, 'content'],
    ['more than 10,000 characters', { content: 'x'.repeat(10_001), polygonId: 1 }, 'content'],
    ['a polygon id as text', { content: 'x', polygonId: '1' }, 'polygonId'],
    ['a polygon id of 0', { content: 'x', polygonId: 0 }, 'polygonId'],
    ['no polygon id', { content: 'x' }, 'polygonId'],
  ])('is refused with the path of the issue when it has %s', async (_, body, path) => {
    const answer = await user.post('/api/notes', body);
    expect(answer.status).toBe(400);
    expect(answer.body.issues[0].path).toBe(path);
  });
});

describe('lists of sites', () => {
  let owner: TestCaller;
  let ids: number[];
  beforeAll(async () => {
    owner = await system.as();
    ids = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await createPolygon(owner)).id);
    for (const id of ids) await createNote(owner, id);
  });

  it.each([
    ['/api/polygons', 'polygons'],
    ['/api/notes', 'notes'],
  ])('%s shows the rows of the user, newest first, a page at a time', async (path, field) => {
    const seen: number[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null; pages += 1) {
      expect(pages).toBeLessThan(3);
      const { body } = await owner.get(`${path}?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...body[field].map((item: { id: number }) => item.id));
      expect(body[field].every((item: { user_id: number }) => item.user_id === owner.userId)).toBe(true);
      cursor = body.nextCursor;
    }
    expect(seen).toHaveLength(5);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
  });

  it.each([
    ['/api/polygons', 'polygons'],
    ['/api/notes', 'notes'],
  ])('%s shows the rows of every user to an administrator', async (path, field) => {
    await createNote(user, (await createPolygon(user)).id);
    const userIds = (await admin.get(`${path}?limit=500`)).body[field].map((item: { user_id: number }) => item.user_id);
    expect(userIds).toEqual(expect.arrayContaining([owner.userId, user.userId]));
  });

  it.each(['limit=0', 'limit=501', 'limit=x', 'cursor=x', 'cursor=-1', 'cursor=99999999999', 'page=1'])(
    'refuses ?%s with the path of the issue',
    async (query) => {
      const answer = await user.get(`/api/polygons?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.body.issues[0].path).toMatch(/^query/);
    },
  );
});
