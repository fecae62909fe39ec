import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Caller, startTestService, type TestService } from '../../support/service.js';

let system: TestService;
let admin: Caller;
let user: Caller;
let other: Caller;
beforeAll(async () => {
  system = await startTestService();
  [admin, user, other] = [await system.as('ADMIN'), await system.as(), await system.as('ANALYST')];
});
afterAll(() => system.close());

type Ring = number[][];
const ring: Ring = [
  [145, -17],
  [146, -17],
  [146, -16],
  [145, -17],
];
const hole: Ring = [
  [145.5, -16.9],
  [145.8, -16.9],
  [145.8, -16.5],
  [145.5, -16.9],
];
const polygon = (...coordinates: Ring[]) => ({ type: 'Polygon', coordinates });
const keep = async (caller: Caller, value: unknown = polygon(ring)) =>
  (await caller.post('/api/polygons', { polygon: value })).body.polygon;
const write = async (caller: Caller, polygonId: number, content = 'shallow here') =>
  (await caller.post('/api/notes', { content, polygonId })).body.note;

describe('a polygon', () => {
  it.each<[string, unknown]>([
    ['of one ring', polygon(ring)],
    ['with holes', polygon(ring, hole)],
    ['with heights', polygon(ring.map((position) => [...position, 12.5]))],
    [
      'at the edges of the world',
      polygon([
        [-180, -90],
        [180, -90],
        [180, 90],
        [-180, -90],
      ]),
    ],
    ['with a bounding box', { ...polygon(ring), bbox: [145, -17, 146, -16] }],
  ])('%s is kept as it is', async (_, value) => {
    const kept = await keep(user, value);
    expect(kept).toEqual({
      id: expect.any(Number),
      created_at: expect.any(String),
      user_id: user.userId,
      polygon: value,
    });
    expect((await user.get(`/api/polygons/${kept.id}`)).body.polygon).toEqual(kept);
  });

  it.each<[string, unknown, string]>([
    ['no polygon', undefined, 'polygon'],
    ['of another type', { type: 'Point', coordinates: [0, 0] }, 'polygon.type'],
    ['without rings', polygon(), 'polygon.coordinates'],
    ['with an empty ring', polygon([]), 'polygon.coordinates.0'],
    [
      'with a ring of three positions',
      polygon([
        [0, 0],
        [1, 1],
        [0, 0],
      ]),
      'polygon.coordinates.0',
    ],
    [
      'with an open ring',
      polygon([
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ]),
      'polygon.coordinates.0',
    ],
    ['with an open hole', polygon(ring, hole.slice(0, -1).concat([[145.6, -16.9]])), 'polygon.coordinates.1'],
    [
      'closed in plan but not in height',
      polygon([
        [0, 0, 1],
        [1, 0, 1],
        [1, 1, 1],
        [0, 0, 2],
      ]),
      'polygon.coordinates.0',
    ],
    [
      'too far east',
      polygon([
        [0, 0],
        [180.01, 0],
        [1, 1],
        [0, 0],
      ]),
      'polygon.coordinates.0.1',
    ],
    [
      'too far west',
      polygon([
        [0, 0],
        [-181, 0],
        [1, 1],
        [0, 0],
      ]),
      'polygon.coordinates.0.1',
    ],
    [
      'too far north',
      polygon([
        [0, 0],
        [1, 90.5],
        [1, 1],
        [0, 0],
      ]),
      'polygon.coordinates.0.1',
    ],
    [
      'too far south',
      polygon([
        [0, 0],
        [1, -91],
        [1, 1],
        [0, 0],
      ]),
      'polygon.coordinates.0.1',
    ],
    ['with positions of one number', polygon([[0], [1], [1], [0]]), 'polygon.coordinates.0.0'],
    [
      'with positions of four',
      polygon([
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 0, 0],
      ]),
      'polygon.coordinates.0.0',
    ],
    [
      'with text for numbers',
      {
        type: 'Polygon',
        coordinates: [
          [
            ['0', '0'],
            [1, 0],
            [1, 1],
            [0, 0],
          ],
        ],
      },
      'polygon.coordinates.0.0.0',
    ],
    ['with an unknown field', { ...polygon(ring), crs: 'EPSG:4326' }, 'polygon'],
  ])('%s is refused, with the path', async (_, value, path) => {
    for (const answer of [
      await user.post('/api/polygons', { polygon: value }),
      await user.put('/api/polygons/1', { polygon: value }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body.issues.map((issue: { path: string }) => issue.path)).toContain(path);
    }
  });

  it('is replaced by its owner and by an administrator', async () => {
    const { id } = await keep(user);
    for (const caller of [user, admin]) {
      const value = polygon(
        ring,
        hole.map(([x = 0, y = 0]) => [x + caller.userId / 1e6, y]),
      );
      expect((await caller.put(`/api/polygons/${id}`, { polygon: value })).body.polygon).toMatchObject({
        id,
        user_id: user.userId,
        polygon: value,
      });
    }
  });

  it('takes its notes along when it is removed', async () => {
    const { id } = await keep(user);
    const note = await write(user, id);
    expect((await user.delete(`/api/polygons/${id}`)).status).toBe(204);
    expect((await user.get(`/api/polygons/${id}`)).status).toBe(404);
    expect(await system.database.prisma.polygonNote.findUnique({ where: { id: note.id } })).toBeNull();
  });

  it('of somebody else is not there', async () => {
    const { id } = await keep(user);
    const note = await write(user, id);
    for (const { status } of [
      await other.get(`/api/polygons/${id}`),
      await other.put(`/api/polygons/${id}`, { polygon: polygon(ring) }),
      await other.delete(`/api/polygons/${id}`),
      await other.get(`/api/notes/${id}`),
      await other.post('/api/notes', { content: 'mine?', polygonId: id }),
      await other.put(`/api/notes/${note.id}`, { content: 'mine?' }),
      await other.delete(`/api/notes/${note.id}`),
    ]) {
      expect(status).toBe(404);
    }
    expect((await user.get(`/api/notes/${id}`)).body.notes).toEqual([note]);
  });

  it('that is removed while it is changed is answered 404, never 500', async () => {
    for (let n = 0; n < 10; n += 1) {
      const { id } = await keep(user);
      const answers = await Promise.all([
        user.put(`/api/polygons/${id}`, { polygon: polygon(ring) }),
        user.delete(`/api/polygons/${id}`),
        user.post('/api/notes', { content: 'gone?', polygonId: id }),
      ]);
      for (const { status } of answers) expect([200, 204, 404]).toContain(status);
    }
  });
});

describe('a note', () => {
  it('is written, rewritten and removed', async () => {
    const { id } = await keep(user);
    const note = await write(user, id);
    expect(note).toMatchObject({ content: 'shallow here', user_id: user.userId, polygon_id: id });
    expect((await user.put(`/api/notes/${note.id}`, { content: 'deep' })).body.note.content).toBe('deep');
    expect((await user.delete(`/api/notes/${note.id}`)).status).toBe(204);
    expect((await user.get(`/api/notes/${id}`)).body.notes).toEqual([]);
  });

  it('of an administrator on a polygon is seen by its owner, who may not change it', async () => {
    const { id } = await keep(user);
    const note = await write(admin, id, 'please check');
    expect((await user.get(`/api/notes/${id}`)).body.notes).toEqual([note]);
    expect((await user.put(`/api/notes/${note.id}`, { content: 'no' })).status).toBe(404);
  });

  it.each([
    [{ content: '', polygonId: 1 }, 'content'],
    [{ content: 'x'.repeat(10_001), polygonId: 1 }, 'content'],
    [{ content: 'x', polygonId: '1' }, 'polygonId'],
    [{ content: 'x', polygonId: 0 }, 'polygonId'],
    [{ content: 'x' }, 'polygonId'],
  ])('%# is refused, with the path', async (body, path) => {
    const answer = await user.post('/api/notes', body);
    expect(answer.status).toBe(400);
    expect(answer.body.issues[0].path).toBe(path);
  });
});

describe('lists', () => {
  let collector: Caller;
  let ids: number[];
  beforeAll(async () => {
    collector = await system.as();
    ids = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await keep(collector)).id);
    for (const id of ids) await write(collector, id);
  });

  it.each([
    ['/api/polygons', 'polygons'],
    ['/api/notes', 'notes'],
  ])('%s show one’s own, newest first, a page at a time', async (path, field) => {
    const seen: number[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null; pages += 1) {
      expect(pages).toBeLessThan(3);
      const { body } = await collector.get(`${path}?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...body[field].map((item: { id: number }) => item.id));
      expect(body[field].every((item: { user_id: number }) => item.user_id === collector.userId)).toBe(true);
      cursor = body.nextCursor;
    }
    expect(seen).toHaveLength(5);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
  });

  it.each([
    ['/api/polygons', 'polygons'],
    ['/api/notes', 'notes'],
  ])('%s show everybody’s to an administrator', async (path, field) => {
    await write(user, (await keep(user)).id);
    const owners = (await admin.get(`${path}?limit=500`)).body[field].map((item: { user_id: number }) => item.user_id);
    expect(owners).toEqual(expect.arrayContaining([collector.userId, user.userId]));
  });

  it.each(['limit=0', 'limit=501', 'limit=x', 'cursor=x', 'cursor=-1', 'cursor=99999999999', 'page=1'])(
    'refuse ?%s, with the path',
    async (query) => {
      const answer = await user.get(`/api/polygons?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.body.issues[0].path).toMatch(/^query/);
    },
  );
});
