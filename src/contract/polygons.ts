import { z } from 'zod';
import { id, idParams, idText, nextCursor, pageQuery, time } from './common.js';
import { defineRoute } from './route.js';

const position = z
  .array(z.number())
  .min(2)
  .max(3)
  .refine(([longitude = 0]) => Math.abs(longitude) <= 180, 'longitude must be between -180 and 180')
  .refine(([, latitude = 0]) => Math.abs(latitude) <= 90, 'latitude must be between -90 and 90');

const ring = z
  .array(position)
  .min(4, 'a ring has four or more positions')
  .refine((positions) => {
    const first = positions[0];
    const last = positions.at(-1);
    return first?.length === last?.length && first?.every((value, axis) => value === last?.[axis]);
  }, 'a ring ends where it begins');

/** A GeoJSON Polygon (RFC 7946, section 3.1.6): an outer ring, then any holes. */
export const geoJsonPolygon = z
  .strictObject({
    type: z.literal('Polygon'),
    coordinates: z.array(ring).min(1, 'a polygon has an outer ring'),
    bbox: z.array(z.number()).min(4).max(6).optional(),
  })
  .meta({ id: 'GeoJsonPolygon' });

export const polygon = z.object({ id, created_at: time, user_id: id, polygon: geoJsonPolygon }).meta({ id: 'Polygon' });
export const note = z
  .object({ id, created_at: time, content: z.string(), user_id: id, polygon_id: id })
  .meta({ id: 'PolygonNote' });

const content = z.string().min(1).max(10_000);
const polygonBody = z.strictObject({ polygon: geoJsonPolygon });
const onePolygon = z.object({ polygon });
const oneNote = z.object({ note });
const access = 'content:own';

export const polygonRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/polygons',
    tag: 'Polygons',
    summary: 'Your polygons; an administrator sees all',
    access,
    query: pageQuery,
    responses: { 200: { description: 'Polygons', body: z.object({ polygons: z.array(polygon), nextCursor }) } },
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/polygons/:id',
    tag: 'Polygons',
    summary: 'One polygon',
    access,
    params: idParams,
    responses: { 200: { description: 'The polygon', body: onePolygon } },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/polygons',
    tag: 'Polygons',
    summary: 'Keep a polygon',
    access,
    body: polygonBody,
    responses: { 200: { description: 'Kept', body: onePolygon } },
  }),
  update: defineRoute({
    method: 'put',
    path: '/api/polygons/:id',
    tag: 'Polygons',
    summary: 'Replace a polygon',
    access,
    params: idParams,
    body: polygonBody,
    responses: { 200: { description: 'Replaced', body: onePolygon } },
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/polygons/:id',
    tag: 'Polygons',
    summary: 'Remove a polygon and its notes',
    access,
    params: idParams,
    responses: { 204: { description: 'Removed' } },
  }),
};

const notes = z.object({ notes: z.array(note), nextCursor });

export const noteRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/notes',
    tag: 'Notes',
    summary: 'Your notes; an administrator sees all',
    access,
    query: pageQuery,
    responses: { 200: { description: 'Notes', body: notes } },
  }),
  ofPolygon: defineRoute({
    method: 'get',
    path: '/api/notes/:polygonId',
    tag: 'Notes',
    summary: 'The notes on a polygon',
    access,
    params: z.strictObject({ polygonId: idText }),
    query: pageQuery,
    responses: { 200: { description: 'Notes', body: notes } },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/notes',
    tag: 'Notes',
    summary: 'Write a note on a polygon',
    access,
    body: z.strictObject({ content, polygonId: id }),
    responses: { 200: { description: 'Written', body: oneNote } },
  }),
  update: defineRoute({
    method: 'put',
    path: '/api/notes/:id',
    tag: 'Notes',
    summary: 'Rewrite a note',
    access,
    params: idParams,
    body: z.strictObject({ content }),
    responses: { 200: { description: 'Rewritten', body: oneNote } },
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/notes/:id',
    tag: 'Notes',
    summary: 'Remove a note',
    access,
    params: idParams,
    responses: { 204: { description: 'Removed' } },
  }),
};
