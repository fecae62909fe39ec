import { z } from 'zod';
import { id, idParams, idText, nextCursor, pageQuery, time } from './common.js';
import { defineRoute } from './route.js';

const position = z
  .array(z.number())
  .min(2)
  .max(3)
  .refine(([longitude = 0]) => Math.abs(longitude) <= 180, 'expected a longitude from -180 to 180')
  .refine(([, latitude = 0]) => Math.abs(latitude) <= 90, 'expected a latitude from -90 to 90');

const ring = z
  .array(position)
  .min(4, 'expected a ring of four or more positions')
  .refine((positions) => {
    const first = positions[0];
    const last = positions.at(-1);
    return first?.length === last?.length && first?.every((value, axis) => value === last?.[axis]);
  }, 'expected a ring whose last position equals its first');

/** A GeoJSON Polygon (RFC 7946, section 3.1.6): an outer ring, followed by any holes. */
export const geoJsonPolygon = z
  .strictObject({
    type: z.literal('Polygon'),
    coordinates: z.array(ring).min(1, 'expected an outer ring'),
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
    summary: 'List your polygons; an administrator sees every polygon',
    access,
    query: pageQuery,
    responses: {
      200: { description: 'A page of polygons', body: z.object({ polygons: z.array(polygon), nextCursor }) },
    },
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/polygons/:id',
    tag: 'Polygons',
    summary: 'Get a polygon',
    access,
    params: idParams,
    responses: { 200: { description: 'The polygon', body: onePolygon } },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/polygons',
    tag: 'Polygons',
    summary: 'Create a polygon',
    access,
    body: polygonBody,
    responses: { 200: { description: 'The created polygon', body: onePolygon } },
  }),
  update: defineRoute({
    method: 'put',
    path: '/api/polygons/:id',
    tag: 'Polygons',
    summary: 'Replace a polygon',
    access,
    params: idParams,
    body: polygonBody,
    responses: { 200: { description: 'The replaced polygon', body: onePolygon } },
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/polygons/:id',
    tag: 'Polygons',
    summary: 'Remove a polygon and its notes',
    access,
    params: idParams,
    responses: { 204: { description: 'The polygon was removed' } },
  }),
};

const notes = z.object({ notes: z.array(note), nextCursor });

export const noteRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/notes',
    tag: 'Notes',
    summary: 'List your notes; an administrator sees every note',
    access,
    query: pageQuery,
    responses: { 200: { description: 'A page of notes', body: notes } },
  }),
  listForPolygon: defineRoute({
    method: 'get',
    path: '/api/notes/:polygonId',
    tag: 'Notes',
    summary: 'List the notes of a polygon',
    access,
    params: z.strictObject({ polygonId: idText }),
    query: pageQuery,
    responses: { 200: { description: 'A page of notes', body: notes } },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/notes',
    tag: 'Notes',
    summary: 'Create a note on a polygon',
    access,
    body: z.strictObject({ content, polygonId: id }),
    responses: { 200: { description: 'The created note', body: oneNote } },
  }),
  update: defineRoute({
    method: 'put',
    path: '/api/notes/:id',
    tag: 'Notes',
    summary: 'Replace the content of a note',
    access,
    params: idParams,
    body: z.strictObject({ content }),
    responses: { 200: { description: 'The changed note', body: oneNote } },
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/notes/:id',
    tag: 'Notes',
    summary: 'Remove a note',
    access,
    params: idParams,
    responses: { 204: { description: 'The note was removed' } },
  }),
};
