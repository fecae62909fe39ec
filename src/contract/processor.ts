import { z } from 'zod';
import { id } from './common.js';
import { defineRoute } from './route.js';

const outcome = z.object({
  applied: z.boolean().meta({ description: 'True when the event changed a record' }),
  jobs: z.array(id).meta({ description: 'Jobs that the event requeued or ended' }),
  executions: z.array(z.string()),
  stored: z.int().meta({ description: 'The number of new log lines' }),
  statusCode: z.int().optional().meta({ description: 'Status that API Gateway answers to a WebSocket client' }),
});
export type EventOutcome = z.infer<typeof outcome>;

const tag = 'Event processor';

export const processorRoutes = {
  health: defineRoute({
    method: 'get',
    path: '/health',
    tag,
    summary: 'Check that the event processor is alive',
    access: 'public',
    responses: {
      200: {
        description: 'The event processor is alive',
        body: z.object({ status: z.literal('ok'), component: z.literal('async-processor') }),
      },
    },
  }),
  process: defineRoute({
    method: 'post',
    path: '/process',
    tag,
    summary: 'Apply a raw event',
    access: 'public',
    body: z.unknown(),
    responses: {
      200: {
        description: 'The event was applied, or needs no change',
        body: outcome,
      },
    },
  }),
};
