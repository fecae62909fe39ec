import { z } from 'zod';
import { time } from './common.js';
import { defineRoute } from './route.js';

/** The newest observation and decision of the active manager about one group of workers. */
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
      200: { description: 'The caller holds the lease', body: z.object({ held: z.literal(true), expiresAt: time }) },
      409: {
        description: 'Another manager holds the lease',
        body: z.looseObject({ status: z.literal(409), message: z.string(), holder: z.string(), expiresAt: time }),
      },
    },
  }),
  release: defineRoute({
    method: 'delete',
    path: '/api/capacity/lease',
    tag,
    summary: 'Release the lease',
    access,
    body: z.strictObject({ holder }).optional(),
    query: z.strictObject({ holder: holder.optional() }),
    responses: { 204: { description: 'The lease was released' } },
  }),
  snapshots: defineRoute({
    method: 'post',
    path: '/api/capacity/snapshots',
    tag,
    summary: 'Report the observations and decisions of a turn',
    access,
    body: z.strictObject({
      holder,
      groups: z.array(groupReport).max(500),
      lastError: z.string().max(2000).nullable().optional(),
    }),
    responses: { 200: { description: 'The number of recorded groups', body: z.object({ recorded: z.int() }) } },
  }),
  status: defineRoute({
    method: 'get',
    path: '/api/capacity/status',
    tag,
    summary: 'Get the newest report of the active manager',
    access,
    responses: {
      200: {
        description: 'The lease and the newest report',
        body: capacityStatus,
      },
    },
  }),
};
