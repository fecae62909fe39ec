import { z } from 'zod';
import { id } from './common.js';
import { defineRoute } from './route.js';

const outcome = z.object({
  applied: z.boolean().meta({ description: 'Whether it changed anything' }),
  jobs: z.array(id).meta({ description: 'Jobs that went back to the queue, or ended' }),
  executions: z.array(z.string()),
  stored: z.int().meta({ description: 'Log lines that were new' }),
  statusCode: z.int().optional().meta({ description: 'What API Gateway answers the subscriber' }),
});
export type EventOutcome = z.infer<typeof outcome>;

const tag = 'Event processor';

export const processorRoutes = {
  health: defineRoute({
    method: 'get',
    path: '/health',
    tag,
    summary: 'The processor answers',
    access: 'public',
    responses: {
      200: {
        description: 'Alive',
        body: z.object({ status: z.literal('ok'), component: z.literal('async-processor') }),
      },
    },
  }),
  process: defineRoute({
    method: 'post',
    path: '/process',
    tag,
    summary: 'Apply one raw event',
    access: 'public',
    body: z.unknown(),
    responses: {
      200: {
        description: 'Applied, or knowingly ignored',
        body: outcome,
      },
    },
  }),
};
