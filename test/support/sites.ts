import type { TestCaller } from './service.js';

export type Ring = number[][];
export const ring: Ring = [
  [145, -17],
  [146, -17],
  [146, -16],
  [145, -17],
];
export const polygon = (...coordinates: Ring[]) => ({ type: 'Polygon', coordinates });

export const createPolygon = async (caller: TestCaller, value: unknown = polygon(ring)) =>
  (await caller.post('/api/polygons', { polygon: value })).body.polygon;
export const createNote = async (caller: TestCaller, polygonId: number, content = 'shallow here') =>
  (await caller.post('/api/notes', { content, polygonId })).body.note;
