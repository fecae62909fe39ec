import { z } from 'zod';
import { id } from './common.js';
import { defineRoute } from './route.js';

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
        body: z.object({ applied: z.boolean(), jobs: z.array(id) }),
      },
    },
  }),
};
