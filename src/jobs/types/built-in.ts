import { z } from 'zod';
import { type Checked, defaultExpiryMinutes, defaultMaxAttempts, type JobType } from './registry.js';

const criterionNames = 'depth low_tide high_tide slope rugosity turbidity waves_period waves_height'.split(' ');
const name = z.string().min(1).max(200);
const metres = z.number().positive();
const path = z.string().min(1).max(1024);

const criteriaShape = {
  region: name,
  reef_type: name,
  ...Object.fromEntries(
    criterionNames.flatMap((criterion) => [
      [`${criterion}_min`, z.number().optional()],
      [`${criterion}_max`, z.number().optional()],
    ]),
  ),
};

/** Rejects a `_min` above the `_max` of the same criterion, for example `depth_min` 5 with `depth_max` 2. */
const withOrderedBounds = <S extends z.ZodType<Record<string, unknown>>>(schema: S) =>
  schema.superRefine((value, context) => {
    for (const criterion of criterionNames) {
      const low = value[`${criterion}_min`];
      const high = value[`${criterion}_max`];
      if (typeof low === 'number' && typeof high === 'number' && low > high)
        context.addIssue({ code: 'custom', path: [`${criterion}_min`], message: `is above ${criterion}_max` });
    }
  });

const isPowerOfTwo = (value: number) => value > 0 && Number.isInteger(Math.log2(value));

const modelParameter = z.strictObject({
  param_name: name,
  third_param_flag: z.boolean(),
  lower: z.number(),
  upper: z.number(),
  optional_third: z.number().optional(),
});

interface Declaration {
  name: string;
  input: z.ZodType;
  result: z.ZodType;
  expiryMinutes?: number;
  maxAttempts?: number;
}

const declarations: Declaration[] = [
  { name: 'TEST', input: z.strictObject({ id: z.number() }), result: z.strictObject({}).optional(), maxAttempts: 1 },
  {
    name: 'SUITABILITY_ASSESSMENT',
    input: withOrderedBounds(
      z.strictObject({ ...criteriaShape, x_dist: metres, y_dist: metres, threshold: z.number().optional() }),
    ),
    result: z.strictObject({ geojson_path: path }),
  },
  {
    name: 'REGIONAL_ASSESSMENT',
    input: withOrderedBounds(z.strictObject(criteriaShape)),
    result: z.strictObject({ cog_path: path }),
  },
  {
    name: 'DATA_SPECIFICATION_UPDATE',
    input: z.strictObject({ cache_buster: z.number().optional() }),
    result: z.strictObject({}).optional(),
  },
  {
    name: 'ADRIA_MODEL_RUN',
    input: z.strictObject({
      data_package: z.enum(['MOORE', 'GBR']),
      num_scenarios: z.int().positive().refine(isPowerOfTwo, 'expected a power of two'),
      model_params: z.array(modelParameter).max(1000),
      rcp_scenario: z.union([z.literal(26), z.literal(45), z.literal(60), z.literal(85)]).default(45),
    }),
    result: z.strictObject({
      spatial_metrics_path: path,
      reef_boundaries_path: path,
      output_result_set_path: path,
      available_charts: z.array(z.string()),
      chart_metadata: z.record(z.string(), z.unknown()),
    }),
    expiryMinutes: 240,
  },
];

/** Checks a payload by a schema. Paths of issues join names and indexes by dots, for example `model_params.0.lower`. */
function check(schema: z.ZodType, payload: unknown): Checked {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
  return { ok: false, issues };
}

export const builtInTypes: JobType[] = declarations.map(
  ({ name, input, result, expiryMinutes = defaultExpiryMinutes, maxAttempts = defaultMaxAttempts }) => ({
    name,
    inputSchema: z.toJSONSchema(input, { io: 'input' }),
    resultSchema: z.toJSONSchema(result, { io: 'input' }),
    expiryMinutes,
    maxAttempts,
    checkInput: (payload) => check(input, payload),
    checkResult: (resultPayload) => check(result, resultPayload),
  }),
);
