import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';
import { createNote, createPolygon, polygon, type Ring, ring } from '../../support/sites.js';

let system: TestService;
let admin: TestCaller;
let user: TestCaller;
let other: TestCaller;
beforeAll(async () => {
  system = await startTestService();
  [admin, user, other] = [await system.as('ADMIN'), await system.as(), await system.as('ANALYST')];
});
afterAll(() => system.close());

const hole: Ring = [
  [145.5, -16.9],
  [145.8, -16.9],
  [145.8, -16.5],
  [145.5, -16.9],
];

describe('polygon', () => {
  it.each<[string, unknown]>([
    ['with one ring', polygon(ring)],
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
  ])('%s is stored unchanged', async (_, value) => {
    const created = await createPolygon(user, value);
    expect(created).toEqual({
      id: expect.any(Number),
      created_at: expect.any(String),
      user_id: user.userId,
      polygon: value,
    });
    expect((await user.get(`/api/polygons/${created.id}`)).body.polygon).toEqual(created);
  });

  it.each<[string, unknown, string]>([
    ['that is missing', undefined, 'polygon'],
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
  ])('%s is refused with the path of the issue', async (_, value, path) => {
    for (const answer of [
      await user.post('/api/polygons', { polygon: value }),
      await user.put('/api/polygons/1', { polygon: value }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body.issues.map((issue: { path: string }) => issue.path)).toContain(path);
    }
  });

  it('is replaced by the owner and by an administrator', async () => {
    const { id } = await createPolygon(user);
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

  it('is removed together with its notes', async () => {
    const { id } = await createPolygon(user);
    const note = await createNote(user, id);
    expect((await user.delete(`/api/polygons/${id}`)).status).toBe(204);
    expect((await user.get(`/api/polygons/${id}`)).status).toBe(404);
    expect(await system.database.prisma.polygonNote.findUnique({ where: { id: note.id } })).toBeNull();
  });

  it('is answered 404 for another user', async () => {
    const { id } = await createPolygon(user);
    const note = await createNote(user, id);
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

  it('is answered 404, never 500, when removed during a change', async () => {
    for (let n = 0; n < 10; n += 1) {
      const { id } = await createPolygon(user);
      const answers = await Promise.all([
        user.put(`/api/polygons/${id}`, { polygon: polygon(ring) }),
        user.delete(`/api/polygons/${id}`),
        user.post('/api/notes', { content: 'gone?', polygonId: id }),
      ]);
      for (const { status } of answers) expect([200, 204, 404]).toContain(status);
    }
  });
});
