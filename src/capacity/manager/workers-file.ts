import { z } from 'zod';
import { SetupError, toMessage } from '../../contract/errors.js';
import type { Scaling } from './scaling.js';

export interface WorkerGroup {
  name: string;
  jobTypes: readonly string[];
  scaling: Scaling;
}

const scaling = z
  .strictObject({
    min: z.int().min(0).default(0),
    max: z.int().min(0).max(1000),
    factor: z.number().positive().default(1),
    sensitivity: z.number().positive().default(1),
    cooldownSeconds: z.number().min(0).default(0),
    policy: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('logarithmic') }),
        z.strictObject({
          kind: z.literal('target-wait'),
          targetWaitSeconds: z.number().positive(),
          meanJobSeconds: z.number().positive(),
        }),
      ])
      .default({ kind: 'logarithmic' }),
  })
  .refine(({ min, max }) => min <= max, 'min is above max');

const workers = z.strictObject({
  workers: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and -'),
        jobTypes: z.array(z.string().min(1)).min(1),
        entryPoint: z.array(z.string()).min(1).optional(),
        command: z.array(z.string()).default([]),
        env: z.record(z.string(), z.string()).default({}),
        scaling,
      }),
    )
    .min(1),
});

/** A group of the workers file. Without `entryPoint` (program and first arguments), workers run `reefguide`. */
export type LocalWorkerGroup = z.infer<typeof workers>['workers'][number];

/** Parses `{ "workers": [{ "name": "a", "jobTypes": ["TEST"], "scaling": { "max": 2 } }] }`, or throws a SetupError. */
export function parseWorkersFile(file: string, text: string): LocalWorkerGroup[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw workersFileError(file, toMessage(error));
  }
  const parsed = workers.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw workersFileError(file, problems.join('; '));
  }
  const names = parsed.data.workers.map(({ name }) => name);
  const duplicate = names.find((name, n) => names.indexOf(name) !== n);
  if (duplicate !== undefined) throw workersFileError(file, `two groups are named ${duplicate}`);
  return parsed.data.workers;
}

export const workersFileError = (file: string, reason: string) =>
  new SetupError(`Workers file ${file}: ${reason}`, { hint: 'See docs/local-workers.md for its form.' });
