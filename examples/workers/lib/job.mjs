import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** Names a fault that the sender of the job can mend. The message is one line, because it becomes the job's reason. */
export class InputError extends Error {
  name = 'InputError';
}

const jobSchema = z.object(
  { input_payload: z.record(z.string(), z.unknown(), 'expected an object') },
  'expected a job with an input_payload',
);

/**
 * Reads the job that the worker passes: the file of JOB_FILE, otherwise standard input.
 * @returns {Promise<Record<string, unknown>>} the job's input payload
 * @throws {InputError} when there is no job with an `input_payload` object
 */
export async function readInputPayload(env, stdin) {
  if (env.JOB_FILE) return (await readJsonFile(env.JOB_FILE, 'JOB_FILE', jobSchema)).input_payload;
  return parseJson(await text(stdin), 'standard input', jobSchema).input_payload;
}

/** @throws {InputError} when the file cannot be read, is no JSON or does not fit the schema; `setting` named the file */
export async function readJsonFile(path, setting, schema) {
  const source = await readFile(path, 'utf8').catch((cause) => {
    throw new InputError(`Cannot read ${setting} ${path}: ${cause.code ?? cause.message}`, { cause });
  });
  return parseJson(source, `${setting} ${path}`, schema);
}

function parseJson(source, origin, schema) {
  let value;
  try {
    value = JSON.parse(source.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new InputError(`Invalid ${origin}: expected JSON (${oneLine(cause.message)})`, { cause });
  }
  return check(schema, value, origin);
}

/**
 * Returns the value as the schema reads it.
 * @throws {InputError} with the first fault, for example `Invalid x_dist: expected a number of metres, 1 or more`
 */
export function check(schema, value, origin) {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [{ path, message }] = error.issues;
  throw new InputError(`Invalid ${[origin, z.core.toDotPath(path)].filter(Boolean).join(': ')}: ${message}`);
}

/** Reports to the worker how far the job is, for example `PROGRESS: 0.40 reading outlines`. `fraction` is from 0 to 1. */
export function reportProgress(fraction, message) {
  process.stderr.write(`PROGRESS: ${fraction.toFixed(2)} ${oneLine(message)}\n`);
}

export function oneLine(message) {
  return String(message).replace(/\s+/g, ' ').trim();
}
