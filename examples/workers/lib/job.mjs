import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

/** A fault the reader of the failed job can mend. Its message is one line and becomes the job's reason. */
export class InputError extends Error {
  /** @param {string} code short and stable, for callers to match @param {string} message one line */
  constructor(code, message, cause) {
    super(message, { cause });
    this.name = 'InputError';
    this.code = code;
  }
}

/**
 * The job that the worker passes: the file that JOB_FILE names, otherwise standard input.
 * @returns {Promise<Record<string, unknown>>} the job's input payload
 * @throws {InputError} when there is no job, or it is not JSON with an `input_payload` object
 */
export async function readInputPayload(env, stdin) {
  const origin = env.JOB_FILE ? 'the file of JOB_FILE' : 'standard input';
  const source = env.JOB_FILE ? await readTextFile(env.JOB_FILE, 'JOB_FILE') : await text(stdin);
  const job = parseJson(source, origin);
  if (!isObject(job) || !isObject(job.input_payload)) {
    throw new InputError('BAD_JOB', `${origin} holds no job: an object with an input_payload object is needed`);
  }
  return job.input_payload;
}

/** @throws {InputError} naming the setting that named the file */
export async function readTextFile(path, setting) {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new InputError('UNREADABLE_FILE', `cannot read ${setting} ${path}: ${cause.code ?? cause.message}`, cause);
  }
}

/** @throws {InputError} naming where the text came from */
export function parseJson(source, origin) {
  try {
    return JSON.parse(source.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new InputError('BAD_JSON', `${origin} is not valid JSON: ${oneLine(cause.message)}`, cause);
  }
}

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells the worker how far the job is. `fraction` is from 0 to 1. */
export function reportProgress(fraction, message) {
  process.stderr.write(`PROGRESS: ${fraction.toFixed(2)} ${oneLine(message)}\n`);
}

export function oneLine(message) {
  return String(message).replace(/\s+/g, ' ').trim();
}
