import { z } from 'zod';
import { time } from './common.js';
import { defineRoute } from './route.js';

/** The ECS service of the deployment, as ECS describes it. */
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
      .meta({ description: 'The last five' }),
  })
  .meta({ id: 'ClusterStatus' });
export type ClusterStatus = z.infer<typeof clusterStatus>;

/** How many tasks an operator may ask for. */
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
    summary: 'The ECS service: counts, deployments, last events',
    access,
    responses: { 200: { description: 'Status', body: clusterStatus } },
  }),
  scale: defineRoute({
    method: 'post',
    path: '/api/admin/scale',
    tag,
    summary: 'Change how many tasks the ECS service runs',
    access,
    body: z.strictObject({ desiredCount }),
    responses: { 200: { description: 'Changed', body: scaled } },
  }),
  redeploy: defineRoute({
    method: 'post',
    path: '/api/admin/redeploy',
    tag,
    summary: 'Force a new deployment of the ECS service',
    access,
    responses: { 200: { description: 'Started', body: redeployed } },
  }),
};
