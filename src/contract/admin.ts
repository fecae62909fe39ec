import { z } from 'zod';
import { time } from './common.js';
import { defineRoute } from './route.js';

/** The state of the deployment's ECS service, as ECS reports it. */
export const clusterStatus = z
  .object({
    runningCount: z.int(),
    pendingCount: z.int(),
    desiredCount: z.int(),
    serviceStatus: z.string(),
    deployments: z.array(
      z.object({
        id: z.string().nullable(),
        status: z.string(),
        taskDefinition: z.string(),
        desiredCount: z.int(),
        pendingCount: z.int(),
        runningCount: z.int(),
        failedTasks: z.int(),
        rolloutState: z.string().nullable(),
        rolloutStateReason: z.string().nullable(),
      }),
    ),
    events: z
      .array(z.object({ createdAt: time.nullable(), message: z.string() }))
      .meta({ description: 'The five newest events' }),
  })
  .meta({ id: 'ClusterStatus' });
export type ClusterStatus = z.infer<typeof clusterStatus>;

/** Number of tasks of the ECS service, bounded because a typing error must not start a fleet. */
export const desiredCount = z.int().min(0).max(10);

const scaled = z.object({ previousDesiredCount: z.int(), desiredCount: z.int() });
export type Scaled = z.infer<typeof scaled>;
const redeployed = z.object({ deploymentId: z.string().nullable() });
export type Redeployed = z.infer<typeof redeployed>;

const tag = 'Administration';
const access = 'service:admin';

export const adminRoutes = {
  status: defineRoute({
    method: 'get',
    path: '/api/admin/status',
    tag,
    summary: 'Get the state of the ECS service',
    access,
    responses: { 200: { description: 'Counts, deployments and newest events', body: clusterStatus } },
  }),
  scale: defineRoute({
    method: 'post',
    path: '/api/admin/scale',
    tag,
    summary: 'Set the number of tasks of the ECS service',
    access,
    body: z.strictObject({ desiredCount }),
    responses: { 200: { description: 'The previous and the new number', body: scaled } },
  }),
  redeploy: defineRoute({
    method: 'post',
    path: '/api/admin/redeploy',
    tag,
    summary: 'Force a new deployment of the ECS service',
    access,
    responses: { 200: { description: 'The deployment was started', body: redeployed } },
  }),
};
