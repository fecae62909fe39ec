import { z } from 'zod';
import { time } from './common.js';
import { execution } from './executions.js';
import { imageInfo } from './images.js';
import { defineRoute } from './route.js';
import { secretInfo } from './secrets.js';

const healthIssue = z.object({
  resource_type: z.enum(['execution', 'image', 'secret', 'user', 'task']),
  resource_id: z.string(),
  severity: z.enum(['warning', 'error']),
  message: z.string(),
  action: z.enum(['repaired', 'reported']),
});
export type HealthIssue = z.infer<typeof healthIssue>;

const counts = z.object({
  total: z.int(),
  verified: z.int().meta({ description: 'The number without an issue' }),
});

export const healthReport = z
  .object({
    timestamp: time,
    executions: counts.meta({ description: 'Live executions, compared with the existing tasks' }),
    images: counts.meta({ description: 'Registered images, compared with their task definitions' }),
    secrets: counts.meta({ description: 'Stored secrets; verified: the value can be decrypted' }),
    users: counts.meta({ description: 'Accounts, compared with the roles of their API keys' }),
    issues: z.array(healthIssue),
    reconciled_count: z.int(),
    error_count: z.int(),
  })
  .meta({ id: 'HealthReport' });
export type HealthReport = z.infer<typeof healthReport>;

const serverLog = z.object({
  timestamp: z.int().meta({ description: 'Milliseconds since 1970' }),
  level: z.string(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()),
});
export type ServerLogLine = z.infer<typeof serverLog>;

const trace = z.object({
  request_id: z.string(),
  logs: z.array(serverLog),
  related_resources: z.object({
    executions: z.array(execution),
    images: z.array(imageInfo),
    secrets: z.array(secretInfo),
  }),
});
export type Trace = z.infer<typeof trace>;

const tag = 'Orchestrator';

export const healthRoutes = {
  reconcile: defineRoute({
    method: 'post',
    path: '/api/v1/health/reconcile',
    tag,
    summary: 'Compare records with existing resources, repair safe differences, report the rest',
    access: 'health:reconcile',
    responses: {
      200: { description: 'The report', body: z.object({ status: z.enum(['ok', 'issues']), report: healthReport }) },
    },
  }),
  trace: defineRoute({
    method: 'get',
    path: '/api/v1/trace/:requestId',
    tag,
    summary: 'Get the log lines and the resources of a request',
    access: 'trace:read',
    params: z.strictObject({
      requestId: z.string().regex(/^[\w.-]{1,64}$/, 'expected a request id: letters, digits, _ . and -, at most 64'),
    }),
    responses: { 200: { description: 'The log lines and the resources', body: trace } },
  }),
};
