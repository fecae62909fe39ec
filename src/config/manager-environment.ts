import { z } from 'zod';

/** What the capacity manager reads from its environment. */
export const managerEnvironment = z.object({
  POLL_INTERVAL_MS: z.coerce.number().int().min(500).default(3000),
  API_ENDPOINT: z.url().optional(),
  API_USERNAME: z.string().optional(),
  API_PASSWORD: z.string().optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** Of the local provider: the event processor that is told when a task stops, and the account of its workers. */
  PROCESSOR_URL: z.url().optional(),
  PROCESSOR_TOKEN: z.string().optional(),
  WORKER_USERNAME: z.string().optional(),
  WORKER_PASSWORD: z.string().optional(),
});
