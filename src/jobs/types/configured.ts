import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { SetupError } from '../../contract/errors.js';
import type { Checked, JobType } from './registry.js';

const jsonSchema = z.union([z.record(z.string(), z.unknown()), z.boolean()]);

const typeFile = z.strictObject({
  name: z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'expected upper-case letters, digits and _'),
  input: jsonSchema,
  result: jsonSchema.default(true),
  expiryMinutes: z.number().positive().max(10_080).default(60),
  maxAttempts: z.int().min(1).max(100).default(3),
});

/**
 * The job types that an operator declared, one JSON file each. A file that is not usable stops the start with its name
 * and the reason; a folder that is not there declares none.
 */
export async function readConfiguredTypes(folder: string, taken: readonly string[]): Promise<JobType[]> {
  const names = await readdir(folder).catch(() => []);
  const types: JobType[] = [];
  for (const file of names.filter((name) => name.endsWith('.json')).sort()) {
    const type = await readTypeFile(path.join(folder, file));
    if (taken.includes(type.name) || types.some(({ name }) => name === type.name)) {
      throw bad(path.join(folder, file), `the job type ${type.name} is declared already`);
    }
    types.push(type);
  }
  return types;
}

const bad = (file: string, reason: string) =>
  new SetupError(`Job type file ${file}: ${reason}`, { hint: 'Correct the file or take it out of the folder.' });

async function readTypeFile(file: string): Promise<JobType> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw bad(file, error instanceof Error ? error.message : 'not readable');
  }
  const parsed = typeFile.safeParse(content);
  if (!parsed.success) {
    throw bad(
      file,
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '),
    );
  }
  const { name, input, result, expiryMinutes, maxAttempts } = parsed.data;
  // Defaults in the schema are filled in, so that equal requests hash equal however much of them was written out.
  const ajv = new Ajv2020({
    allErrors: false,
    useDefaults: true,
    strict: true,
    allowUnionTypes: true,
    ownProperties: true,
  });
  const compile = (schema: z.infer<typeof jsonSchema>, part: string) => {
    try {
      return ajv.compile(schema);
    } catch (error) {
      throw bad(file, `${part}: ${error instanceof Error ? error.message : 'not a JSON Schema'}`);
    }
  };
  const checkInput = compile(input, 'input');
  const checkResult = compile(result, 'result');
  return {
    name,
    expiryMinutes,
    maxAttempts,
    inputSchema: input,
    resultSchema: result,
    checkInput: (payload) => check(checkInput, payload),
    checkResult: (payload) => check(checkResult, payload),
  };
}

function check(validate: ValidateFunction, payload: unknown): Checked {
  const value = structuredClone(payload);
  if (validate(value)) return { ok: true, value };
  return { ok: false, issues: (validate.errors ?? []).map(describe) };
}

function describe({ instancePath, message, params }: ErrorObject) {
  const extra = 'additionalProperty' in params ? `: ${String(params.additionalProperty)}` : '';
  return { path: instancePath.slice(1).replaceAll('/', '.'), message: `${message ?? 'is not valid'}${extra}` };
}
