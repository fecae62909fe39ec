import { z } from 'zod';
import { time } from './common.js';
import { defineRoute } from './route.js';

/** What the active manager last saw and decided for one group of workers. */
export const groupReport = z
  .strictObject({
    group: z.string().min(1).max(200),
    jobTypes: z.array(z.string().min(1).max(100)).max(100),
    pending: z.int().min(0),
    inProgress: z.int().min(0),
    running: z.int().min(0),
    desired: z.int().min(0),
    lastError: z.string().max(2000).nullable(),
  })
  .meta({ id: 'GroupReport' });
export type GroupReport = z.infer<typeof groupReport>;

export const capacityStatus = z
  .object({
    holder: z.string().nullable(),
    expiresAt: time.nullable(),
    reportedAt: time.nullable(),
    lastError: z.string().nullable(),
    groups: z.array(groupReport),
  })
  .meta({ id: 'CapacityStatus' });
export type CapacityStatus = z.infer<typeof capacityStatus>;

const tag = 'Capacity';
const access = 'capacity:manage';
const holder = z.string().min(1).max(200);

export const capacityRoutes = {
  lease: defineRoute({
    method: 'post',
    path: '/api/capacity/lease',
    tag,
    summary: 'Take or renew the lease of the capacity manager',
    access,
    body: z.strictObject({ holder, ttlSeconds: z.int().min(1).max(3600) }),
    responses: {
      200: { description: 'Held', body: z.object({ held: z.literal(true), expiresAt: time }) },
      409: {
        description: 'Somebody else holds it',
        body: z.looseObject({ status: z.literal(409), message: z.string(), holder: z.string(), expiresAt: time }),
      },
    },
  }),
  release: defineRoute({
    method: 'delete',
    path: '/api/capacity/lease',
    tag,
    summary: 'Give up the lease',
    access,
    body: z.strictObject({ holder }).optional(),
    query: z.strictObject({ holder: holder.optional() }),
    responses: { 204: { description: 'Given up' } },
  }),
  snapshots: defineRoute({
    method: 'post',
    path: '/api/capacity/snapshots',
    tag,
    summary: 'Report what was seen and decided in a turn',
    access,
    body: z.strictObject({
      holder,
      groups: z.array(groupReport).max(500),
      lastError: z.string().max(2000).nullable().optional(),
    }),
    responses: { 200: { description: 'Noted', body: z.object({ recorded: z.int() }) } },
  }),
  status: defineRoute({
    method: 'get',
    path: '/api/capacity/status',
    tag,
    summary: 'The last report of the active manager',
    access,
    responses: {
      200: {
        description: 'Status',
        body: capacityStatus,
      },
    },
  }),
};
