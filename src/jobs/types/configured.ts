import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { type Issue, SetupError, toMessage } from '../../contract/errors.js';
import { type Checked, defaultExpiryMinutes, defaultMaxAttempts, type JobType } from './registry.js';

const jsonSchema = z.union([z.record(z.string(), z.unknown()), z.boolean()]);

const typeFile = z.strictObject({
  name: z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'expected upper-case letters, digits and _'),
  input: jsonSchema,
  result: jsonSchema.default(true),
  expiryMinutes: z.number().positive().max(10_080).default(defaultExpiryMinutes),
  maxAttempts: z.int().min(1).max(100).default(defaultMaxAttempts),
});

/**
 * Reads the job types of an operator, one JSON file each, in the order of file names. A missing directory declares
 * none. Throws `SetupError` for an invalid file or for a name in `takenNames` or in another file.
 */
export async function readConfiguredTypes(directory: string, takenNames: readonly string[]): Promise<JobType[]> {
  const names = await readdir(directory).catch(() => []);
  const types: JobType[] = [];
  for (const name of names.filter((candidate) => candidate.endsWith('.json')).sort()) {
    const file = path.join(directory, name);
    const type = await readTypeFile(file);
    if (takenNames.includes(type.name) || types.some((other) => other.name === type.name))
      throw invalidFile(file, `job type ${type.name} is already declared`);
    types.push(type);
  }
  return types;
}

const invalidFile = (file: string, reason: string) =>
  new SetupError(`Invalid job type file ${file}: ${reason}`, {
    hint: 'Correct the file or move it out of the directory.',
  });

async function readTypeFile(file: string): Promise<JobType> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw invalidFile(file, toMessage(error));
  }
  const parsed = typeFile.safeParse(content);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
    throw invalidFile(file, issues.join('; '));
  }
  const { name, input, result, expiryMinutes, maxAttempts } = parsed.data;
  // Fills in defaults, because equal requests must get equal hashes whether or not a default is spelled out.
  const ajv = new Ajv2020({ useDefaults: true, strict: true, allowUnionTypes: true, ownProperties: true });
  const compile = (schema: z.infer<typeof jsonSchema>, field: string) => {
    try {
      return ajv.compile(schema);
    } catch (error) {
      throw invalidFile(file, `${field}: ${toMessage(error)}`);
    }
  };
  const validateInput = compile(input, 'input');
  const validateResult = compile(result, 'result');
  return {
    name,
    inputSchema: input,
    resultSchema: result,
    expiryMinutes,
    maxAttempts,
    checkInput: (payload) => check(validateInput, payload),
    checkResult: (resultPayload) => check(validateResult, resultPayload),
  };
}

/** Checks a copy of the payload, because Ajv fills in defaults in place. */
function check(validate: ValidateFunction, payload: unknown): Checked {
  const value = structuredClone(payload);
  if (validate(value)) return { ok: true, value };
  return { ok: false, issues: (validate.errors ?? []).map(toIssue) };
}

/** Converts Ajv's path `/options/fine` to `options.fine`. */
function toIssue({ instancePath, message, params }: ErrorObject): Issue {
  const extra = 'additionalProperty' in params ? `: ${String(params.additionalProperty)}` : '';
  return { path: instancePath.slice(1).replaceAll('/', '.'), message: `${message ?? 'is not valid'}${extra}` };
}
