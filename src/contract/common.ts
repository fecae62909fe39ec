import { z } from 'zod';

/** The largest id: ids are of the Postgres type `integer`. */
export const maxId = 2_147_483_647;

export const id = z.int().min(1).max(maxId).meta({ example: 17 });

/** An id in a path or a query: `'17'` → `17`. */
export const idText = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'expected a positive whole number')
  .transform(Number)
  .refine((value) => value <= maxId, `expected at most ${maxId}`);

/** A whole number in a query string: `'50'` → `50`. */
export const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, 'expected a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `expected ${minimum} to ${maximum}`);

export const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC', example: '2026-03-01T04:05:06.789Z' });

const issue = z.object({ path: z.string(), message: z.string() });

export const errorBody = z
  .looseObject({
    status: z.int(),
    message: z.string(),
    issues: z.array(issue).optional(),
  })
  .meta({ id: 'Error' });

/** The body of errors under `/api/v1`. Other errors have `errorBody`. */
export const orchestratorErrorBody = z
  .object({
    error: z.string(),
    code: z.string().optional(),
    details: z.array(issue).optional(),
  })
  .meta({ id: 'OrchestratorError' });

export const idParams = z.strictObject({ id: idText });

/** Query of a list that is read page by page, for example `?limit=50&cursor=17`. */
export const pageQuery = z.strictObject({
  limit: wholeNumber(1, 500).optional(),
  cursor: idText.optional(),
});

export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'The `cursor` of the next page; null on the last page' });
